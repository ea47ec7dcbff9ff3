"""The password: who may open the pages, and from where."""
