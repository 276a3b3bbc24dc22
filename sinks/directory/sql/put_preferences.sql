-- Replace how an account wants to be told.
insert into notification_preferences as p (user_id, email_on, webhook_on, failures_on, minimums)
values ($1::uuid, $2, $3, $4, $5::text::jsonb)
on conflict (user_id) do update
set email_on = excluded.email_on, webhook_on = excluded.webhook_on, failures_on = excluded.failures_on,
    minimums = excluded.minimums, updated_at = now()
returning email_on as email, webhook_on as webhook, failures_on as failures, minimums::text, updated_at
