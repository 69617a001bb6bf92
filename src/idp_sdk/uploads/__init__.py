"""From labelled files on disk or in memory to objects in S3."""
