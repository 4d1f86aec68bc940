"""What can be said about an answer without a teacher, one check a file: a verdict, never a deletion."""
