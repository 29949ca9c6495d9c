-- One person has one opening of one resident at a time, also when it is pressed twice at once. An
-- opening whose time is over counts as closed when the next is made.

alter table break_glass no force row level security;
update break_glass g set closed_at = g.until_at
where g.closed_at is null and exists (
    select from break_glass later
    where later.tenant_id = g.tenant_id and later.staff_id = g.staff_id
        and later.resident_id = g.resident_id and later.closed_at is null
        and (later.until_at, later.id) > (g.until_at, g.id)
);
alter table break_glass force row level security;

create unique index break_glass_once on break_glass (tenant_id, staff_id, resident_id)
    where closed_at is null;
