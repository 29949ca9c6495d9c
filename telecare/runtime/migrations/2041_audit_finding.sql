-- What does not fit: found by a check, by the comparison with the homes' own records, or by a
-- reviewer. Any of it can be made a personal data breach (GDPR art. 33).

create table incident (
    tenant_id int not null references tenant,
    id uuid not null,
    title text not null check (length(title) between 3 and 200),
    known_at timestamptz not null,  -- the 72 hours run from here
    opened_at timestamptz not null,
    opened_by uuid not null,
    decision text check (decision in ('notify', 'do_not_notify')),
    reason text,
    decided_at timestamptz,
    decided_by uuid,
    notified_at timestamptz,
    diary_number text,
    persons_told text check (persons_told in ('told', 'not_needed')),
    told_how text,
    told_at timestamptz,
    told_by uuid,
    closed_at timestamptz,
    closed_by uuid,
    primary key (tenant_id, id),
    check (known_at <= opened_at),
    check (num_nulls(decision, reason, decided_at, decided_by) in (0, 4)),
    check (num_nulls(persons_told, told_how, told_at, told_by) in (0, 4)),
    check (notified_at is null or decision = 'notify'),
    check (closed_at is null or (decision is not null and persons_told is not null
        and (decision = 'do_not_notify' or notified_at is not null))),
    foreign key (tenant_id, opened_by) references staff (tenant_id, id),
    foreign key (tenant_id, decided_by) references staff (tenant_id, id),
    foreign key (tenant_id, told_by) references staff (tenant_id, id),
    foreign key (tenant_id, closed_by) references staff (tenant_id, id)
);

create table finding (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null,
    key text not null,  -- what it is about; the same thing is found once
    resident_id uuid,
    call_id uuid,
    entry_id bigint,
    what jsonb not null default '{}',
    found_at timestamptz not null,
    incident_id uuid,
    note text,
    closed_at timestamptz,
    closed_by uuid,
    primary key (tenant_id, id),
    unique (tenant_id, kind, key),
    check (num_nulls(note, closed_at, closed_by) in (0, 3)),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, incident_id) references incident (tenant_id, id),
    foreign key (tenant_id, closed_by) references staff (tenant_id, id)
);
create index finding_open on finding (tenant_id, found_at desc) where closed_at is null;

-- Each comparison of the log with what the homes' units wrote themselves; the next goes on from it.
create table reconciliation (
    tenant_id int not null references tenant,
    id uuid not null,
    since timestamptz not null,
    until timestamptz not null,
    ran_at timestamptz not null,
    calls int not null,
    activations int not null,
    findings int not null,
    primary key (tenant_id, id),
    unique (tenant_id, until),
    check (until > since)
);

select wall(t) from unnest(array['incident', 'finding', 'reconciliation']::regclass[]) as t;
grant select, insert, update on incident, finding to telecare_app;
grant select, insert on reconciliation to telecare_app;
