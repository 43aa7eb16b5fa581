project = "wordcount"
extensions = ["sphinx.ext.autodoc"]
