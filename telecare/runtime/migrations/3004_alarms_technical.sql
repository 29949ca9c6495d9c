-- Technical alarms: a unit that is silent, a battery that is low, mains that are gone, a cover that
-- was opened. They have a lane of their own, and end by themselves where what they tell of does.

alter table edge_unit add column battery_percent int check (battery_percent between 0 and 100);
alter table edge_unit add column mains boolean;            -- null: it cannot tell
alter table edge_unit add column path text not null default 'first';
alter table edge_unit add column network text not null default '';  -- whose line it is on

-- Several units lost together are one thing to see to.
create table outage (
    tenant_id int not null references tenant,
    id uuid not null,
    shares text not null check (shares in ('area', 'provider', 'broker')),
    name text not null,                   -- the care unit, the network, the broker's address
    began_at timestamptz not null,
    taken_by uuid,
    taken_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, taken_by) references staff (tenant_id, id)
);
create unique index outage_once on outage (tenant_id, shares, name) where ended_at is null;

create table technical_alarm (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null check (
        kind in ('offline', 'battery', 'mains', 'cover', 'dropped', 'unknown_sender')
    ),
    endpoint_id uuid,                     -- null: of a sender that nobody knows
    resident_id uuid,
    unit_id uuid,                         -- the resident's care unit; null: every unit's
    device text not null default '',      -- which in the home; '': the unit itself
    detail text not null default '' check (length(detail) <= 200),
    began_at timestamptz not null,
    raised_at timestamptz not null,
    outage_id uuid,
    taken_by uuid,
    taken_at timestamptz,
    ended_at timestamptz,                 -- what it tells of is over
    closed_at timestamptz,                -- somebody has seen to it
    closed_by uuid,
    note text not null default '' check (length(note) <= 500),
    primary key (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references endpoint (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, outage_id) references outage (tenant_id, id),
    foreign key (tenant_id, taken_by) references staff (tenant_id, id),
    foreign key (tenant_id, closed_by) references staff (tenant_id, id)
);
create unique index technical_alarm_once on technical_alarm (tenant_id, kind, endpoint_id, device)
    where ended_at is null;
create index technical_alarm_open on technical_alarm (tenant_id, raised_at)
    where ended_at is null and closed_at is null;
create index technical_alarm_of on technical_alarm (tenant_id, endpoint_id, began_at);

select wall(t) from unnest(array['outage', 'technical_alarm']::regclass[]) as t;
grant select, insert, update on outage, technical_alarm to telecare_app;
select open_to_definer('technical_alarm');

-- Units that were heard last before p_before and of whom nobody has been told, municipality by
-- municipality. One that was enrolled just now has ten minutes to be heard first.
create function silent_units(p_before timestamptz, p_limit int)
returns table (tenant_id int, endpoint_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select u.tenant_id, u.endpoint_id
    from public.edge_unit u
    join public.endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
    where u.revoked_at is null and e.ended_at is null
        and coalesce(u.seen_at, u.enrolled_at + interval '10 minutes') < p_before
        and not exists (
            select from public.technical_alarm t
            where t.tenant_id = u.tenant_id and t.endpoint_id = u.endpoint_id
                and t.kind = 'offline' and t.ended_at is null
        )
    order by u.tenant_id
    limit p_limit
$$;

-- Units of whom somebody was told, and that have been heard since: a sign of life is no news to the
-- process that hears it.
create function units_heard_again(p_limit int)
returns table (tenant_id int, endpoint_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select t.tenant_id, t.endpoint_id
    from public.technical_alarm t
    join public.edge_unit u on u.tenant_id = t.tenant_id and u.endpoint_id = t.endpoint_id
    where t.kind = 'offline' and t.ended_at is null and u.revoked_at is null and u.is_online
        and u.seen_at >= t.raised_at
    order by t.tenant_id
    limit p_limit
$$;
create index technical_alarm_silent on technical_alarm (tenant_id, endpoint_id)
    where kind = 'offline' and ended_at is null;

alter function silent_units(timestamptz, int) owner to telecare_definer;
alter function units_heard_again(int) owner to telecare_definer;
revoke execute on function silent_units(timestamptz, int), units_heard_again(int) from public;
grant execute on function silent_units(timestamptz, int), units_heard_again(int) to telecare_app;
