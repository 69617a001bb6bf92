"""Training records and the data set they make."""
