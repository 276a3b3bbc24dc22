-- Completed transfers by their ids ($1), and what is left of each when all but these draws ($2) have taken their part.
select p.transfer_id::text, p.kind, p.source_wallet_id::text, p.destination_wallet_id::text,
       ((p.amount - coalesce(d.amount, 0)) * 10000)::bigint as units_left, p.expires_at
from transfers as p
left join lateral (
    select sum(c.amount) as amount
    from transfers as c
    where c.parent_id = p.transfer_id and c.status = 'COMPLETED' and c.transfer_id <> all($2::uuid[])
) as d on true
where p.transfer_id = any($1::uuid[]) and p.status = 'COMPLETED'
