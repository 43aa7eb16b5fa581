"""What a project looks like → a first envfile for it.

Looking (`look.py` and what it asks), deciding (`decide.py`) and telling (`told.py`) are apart;
the text is written as that of a converted file (`runner.convert.write`). Nothing of the
project is executed, and nothing is written here.
"""
