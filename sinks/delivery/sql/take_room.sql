-- Room for e-mails in windows of $3: each user of $1 asks for as much as in $2. What is asked for beyond what there is
-- counts too, to no effect.
insert into email_windows as w (user_id, started_at, taken)
select user_id, now(), wanted from unnest($1::uuid[], $2::integer[]) as u (user_id, wanted)
order by user_id
on conflict (user_id) do update set
    started_at = case when w.started_at + $3::interval <= now() then now() else w.started_at end,
    taken = case
        when w.started_at + $3::interval <= now() then excluded.taken
        else least(1000000000, w.taken + excluded.taken)
    end
returning user_id, started_at, started_at + $3::interval as ends_at, taken
