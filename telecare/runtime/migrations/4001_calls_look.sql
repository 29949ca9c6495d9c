-- A look by camera is made ready before its turn, beside the one that is open.

alter table call drop constraint call_state_check;
alter table call add constraint call_state_check check (
    state in ('requested', 'ready', 'ringing', 'connecting', 'open', 'dark', 'ended')
);
drop index call_one_per_staff;
create unique index call_one_per_staff on call (tenant_id, staff_id)
    where state not in ('ended', 'ready') and staff_id is not null;
