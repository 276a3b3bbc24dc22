-- Whether a mark still stands.
select exists (select from attempts where key = $1 and due_at > now()) as is_marked
