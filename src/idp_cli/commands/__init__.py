"""One module for each noun of the command line; they are imported when they are used."""
