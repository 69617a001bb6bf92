"""One module for each noun of the command line; a module is imported when its command runs."""
