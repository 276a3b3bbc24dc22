"""What others would build, each tuned as its users tune it, doing the same work on the same servers."""
