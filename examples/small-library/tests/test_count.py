import wordcount


def test_case_and_punctuation_do_not_matter():
    assert wordcount.count("The cat, the hat.") == {"the": 2, "cat": 1, "hat": 1}


def test_the_installed_package_is_tested_and_not_the_source():
    assert "site-packages" in wordcount.__file__
