-- Workers may go on.
delete from stream_progress where topic = $1
