"""What ops see: the pipeline watched from outside its workers."""
