"""What is the case: read from files, the machine and the servers. Each step is bounded in time, and none raises."""
