"""The stages of tests.doubles.stages with a deadline that a test can wait for."""
