-- Absence (frånvaro) and ending (avslut) of residents. The gate reads both under its lock, so
-- that nothing opens towards somebody who is away or no longer with us (docs/decisions/0006).

create table absence (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    kind text not null check (kind in ('hospital', 'short_term', 'travel', 'other')),
    from_at timestamptz not null,
    until_at timestamptz,         -- null: open
    reported_by text not null,
    note text not null default '',
    made_by uuid not null,
    made_at timestamptz not null,
    home_at timestamptz,
    home_by uuid,                 -- null: the time it was to last until
    primary key (tenant_id, id),
    check (until_at is null or until_at > from_at),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, made_by) references staff (tenant_id, id),
    foreign key (tenant_id, home_by) references staff (tenant_id, id)
);
create index absence_of on absence (tenant_id, resident_id, from_at);

create table ending (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    reason text not null check (reason in ('deceased', 'moved', 'declined')),
    on_date date not null,
    from_at timestamptz not null, -- the gate refuses from here on, also when the timer is late
    done_by uuid not null,
    done_at timestamptz not null,
    carried_out_at timestamptz,
    undone_by uuid,
    undone_at timestamptz,
    primary key (tenant_id, id),
    check ((undone_at is null) = (undone_by is null)),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, done_by) references staff (tenant_id, id),
    foreign key (tenant_id, undone_by) references staff (tenant_id, id)
);
create unique index ending_once on ending (tenant_id, resident_id) where undone_at is null;

select wall(t) from unnest(array['absence', 'ending']::regclass[]) as t;
grant select, insert on absence, ending to telecare_app;
grant update (home_at, home_by) on absence to telecare_app;
grant update (carried_out_at, undone_by, undone_at) on ending to telecare_app;

-- What an ending closed, so that undoing it opens those and no others.
alter table endpoint add column ending_id uuid,
    add foreign key (tenant_id, ending_id) references ending (tenant_id, id);
alter table cohabitant add column is_resident_id uuid,  -- she is a resident herself
    add column ending_id uuid,
    add foreign key (tenant_id, is_resident_id) references resident (tenant_id, id),
    add foreign key (tenant_id, ending_id) references ending (tenant_id, id);
create index cohabitant_is on cohabitant (tenant_id, is_resident_id)
    where is_resident_id is not null;

alter table follow_up drop constraint follow_up_kind_check;
alter table follow_up add constraint follow_up_kind_check check (
    kind in (
        'call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up', 'check_devices'
    )
);

-- A revoked unit that connects is told to wipe itself, sealed with the key it still has.
alter table edge_unit add column wiped_at timestamptz;

create function revoked_unit_of(p_unit text)
returns table (tenant_id int, endpoint_id uuid, resident_id uuid, public_key bytea, mac_key bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select u.tenant_id, u.endpoint_id, e.resident_id, u.public_key, u.mac_key
    from public.edge_unit u
    join public.endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
    where u.id = p_unit and u.revoked_at is not null;
    perform set_config('app.tenant', u.tenant_id::text, true)
    from public.edge_unit u
    where u.id = p_unit and u.revoked_at is not null;
end
$$;
alter function revoked_unit_of(text) owner to telecare_definer;
revoke execute on function revoked_unit_of(text) from public;
grant execute on function revoked_unit_of(text) to telecare_app;
