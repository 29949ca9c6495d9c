-- Rules on staff's own data (address, relatives, roster): off until two people have noted the
-- municipality's decision and somebody has sent in what to compare with, as keyed hashes.

create table staff_data_decision (
    tenant_id int not null references tenant,
    id uuid not null,
    rules text[] not null,
    decision text not null check (length(decision) between 1 and 200),
    decided_on date not null,
    law text not null check (length(law) between 1 and 300),
    consulted text not null check (length(consulted) between 1 and 300),
    proposed_by uuid not null,
    proposed_at timestamptz not null,
    approved_by uuid,
    approved_at timestamptz,
    declined_by uuid,
    declined_at timestamptz,
    withdrawn_by uuid,
    withdrawn_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, proposed_by) references staff (tenant_id, id),
    foreign key (tenant_id, approved_by) references staff (tenant_id, id),
    foreign key (tenant_id, declined_by) references staff (tenant_id, id),
    foreign key (tenant_id, withdrawn_by) references staff (tenant_id, id),
    constraint staff_data_names_rules check (
        cardinality(rules) > 0
        and rules <@ array['same_address', 'registered_relative', 'outside_roster']
    ),
    constraint staff_data_takes_two check (approved_by <> proposed_by),
    constraint staff_data_is_decided_once check (num_nonnulls(approved_by, declined_by) < 2),
    constraint staff_data_is_withdrawn_after_approval check (
        withdrawn_by is null or approved_by is not null
    ),
    constraint staff_data_times check (
        (approved_by is null) = (approved_at is null)
        and (declined_by is null) = (declined_at is null)
        and (withdrawn_by is null) = (withdrawn_at is null)
    )
);
create unique index staff_data_one_decision on staff_data_decision (tenant_id)
    where declined_at is null and withdrawn_at is null;

-- What was sent in last, for each rule.
create table staff_data_import (
    tenant_id int not null references tenant,
    rule text not null check (rule in ('same_address', 'registered_relative', 'outside_roster')),
    decision_id uuid not null,
    row_count int not null,
    staff_count int not null,
    left_out int not null,  -- rows about staff with protected identity: not kept
    key_digest bytea not null,  -- another key finds nothing, which must not read as no hit
    sent_by uuid not null,
    sent_at timestamptz not null,
    primary key (tenant_id, rule),
    foreign key (tenant_id, decision_id) references staff_data_decision (tenant_id, id),
    foreign key (tenant_id, sent_by) references staff (tenant_id, id)
);

-- Hashes and rostered times. The server may put in and throw away, and see no digest: it asks
-- staff_data_compared, case by case.
create table staff_fact (
    tenant_id int not null references tenant,
    rule text not null,
    n int not null,
    staff_id uuid not null,
    kind text not null check (kind in ('street', 'place', 'self', 'relative', 'shift')),
    digest bytea check (octet_length(digest) = 32),
    since timestamptz,
    until timestamptz,
    primary key (tenant_id, rule, n),
    foreign key (tenant_id, rule) references staff_data_import (tenant_id, rule),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint staff_fact_is_hash_or_shift check (
        (kind = 'shift') = (digest is null)
        and (kind = 'shift') = (since is not null)
        and (kind = 'shift') = (until is not null)
        and (until > since) is not false
    )
);
create index staff_fact_of on staff_fact (tenant_id, staff_id, kind);

select wall(t) from unnest(
    array['staff_data_decision', 'staff_data_import', 'staff_fact']::regclass[]
) as t;
select open_to_definer('staff_fact');
grant select, insert on staff_data_decision to telecare_app;
grant update (
    approved_by, approved_at, declined_by, declined_at, withdrawn_by, withdrawn_at
) on staff_data_decision to telecare_app;
grant select, insert, delete on staff_data_import to telecare_app;
grant insert, delete, select (tenant_id, rule) on staff_fact to telecare_app;

-- How somebody's own data stand to a resident's, or to a time. In order of what was asked; a
-- resident that is null leaves only the roster.
create function staff_data_compared(
    p_staff uuid[], p_resident uuid[], p_at timestamptz[], p_street bytea[], p_place bytea[],
    p_near interval
) returns table (
    has_address boolean, same_address boolean, has_relatives boolean, has_national_id boolean,
    is_self boolean, is_relative boolean, has_day boolean, on_shift boolean
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(f.has_address, false),
        coalesce(f.same_street and (q.place is null or not f.has_place or f.same_place), false),
        coalesce(f.has_relatives, false),
        r.national_id_hash is not null,
        coalesce(f.is_self, false),
        coalesce(f.is_relative, false),
        coalesce(f.has_day, false),
        coalesce(f.on_shift, false)
    from unnest(p_staff, p_resident, p_at, p_street, p_place)
        with ordinality as q (staff_id, resident_id, at, street, place, i)
    left join public.resident r on r.tenant_id = public.app_tenant() and r.id = q.resident_id
    left join lateral (
        select
            bool_or(d.kind = 'street') as has_address,
            bool_or(d.kind = 'street' and d.digest = q.street) as same_street,
            bool_or(d.kind = 'place') as has_place,
            bool_or(d.kind = 'place' and d.digest = q.place) as same_place,
            bool_or(d.kind in ('self', 'relative')) as has_relatives,
            bool_or(d.kind = 'self' and d.digest = r.national_id_hash) as is_self,
            bool_or(d.kind = 'relative' and d.digest = r.national_id_hash) as is_relative,
            bool_or(
                d.kind = 'shift'
                and (d.since at time zone 'Europe/Stockholm')::date
                    <= (q.at at time zone 'Europe/Stockholm')::date
                and (d.until at time zone 'Europe/Stockholm')::date
                    >= (q.at at time zone 'Europe/Stockholm')::date
            ) as has_day,
            bool_or(
                d.kind = 'shift' and q.at between d.since - p_near and d.until + p_near
            ) as on_shift
        from public.staff_fact d
        where d.tenant_id = public.app_tenant() and d.staff_id = q.staff_id
            -- No shift is longer than two days: others need not be looked at.
            and (d.since is null or d.since between q.at - interval '4 days' and q.at + interval '2 days')
    ) f on true
    order by q.i
$$;
alter function staff_data_compared(uuid[], uuid[], timestamptz[], bytea[], bytea[], interval)
    owner to telecare_definer;
revoke execute on function
    staff_data_compared(uuid[], uuid[], timestamptz[], bytea[], bytea[], interval) from public;
grant execute on function
    staff_data_compared(uuid[], uuid[], timestamptz[], bytea[], bytea[], interval) to telecare_app;

-- What each was compared with, or why not, as it was when it was drawn.
alter table review_item add column checks jsonb not null default '{}';
alter table log_review add column checks jsonb not null default '[]';
