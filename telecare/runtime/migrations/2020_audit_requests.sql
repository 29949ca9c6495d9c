-- Begäran om utdrag ur loggen: who asks and as what, the menprövning, the decision, what was fetched.

create table extract_request (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    diary_number text not null check (diary_number <> ''),
    asked_by text not null,  -- empty: somebody who need not say who she is (TF 2 kap. 18 §)
    capacity text not null check (capacity in (
        'self', 'cohabitant', 'proxy', 'guardian', 'estate', 'police', 'court', 'supervision', 'other'
    )),
    capacity_document text not null default '',  -- number and issuer, not the paper itself
    identified_by text not null check (identified_by in (
        'id_document', 'e_id', 'known', 'authority', 'not_asked'
    )),
    wanted text not null default '',
    reason text not null default '',
    since timestamptz,
    until timestamptz,  -- not included
    language text not null check (language in ('sv', 'fi', 'en')),
    received_on date not null,
    due_on date not null,
    registered_by uuid not null,
    registered_at timestamptz not null,
    locked_at timestamptz,
    primary key (tenant_id, id),
    check (since < until),
    check (due_on >= received_on),
    check (capacity <> 'self' or reason = ''),
    check (capacity not in ('proxy', 'guardian', 'estate') or capacity_document <> ''),
    check (capacity <> 'self' or identified_by <> 'not_asked'),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, registered_by) references staff (tenant_id, id)
);
create index extract_request_by_due on extract_request (tenant_id, due_on);
create index extract_request_of on extract_request (tenant_id, resident_id);

-- A section of the records, or a third person in them: given out or withheld.
create table extract_test (
    tenant_id int not null references tenant,
    request_id uuid not null,
    place text not null,  -- the section's name, or the person's id
    kind text not null check (kind in (
        'section', 'cohabitant', 'relative', 'representative', 'staff', 'named'
    )),
    name text not null default '',
    gives_out boolean not null,
    statute text not null default '',
    reason text not null default '',
    tested_by uuid,  -- null: as it stands by default
    tested_at timestamptz,
    primary key (tenant_id, request_id, place),
    check (gives_out or statute <> ''),
    check (kind = 'section' or name <> ''),
    check ((tested_by is null) = (tested_at is null)),
    foreign key (tenant_id, request_id) references extract_request (tenant_id, id),
    foreign key (tenant_id, tested_by) references staff (tenant_id, id)
);

create table extract_decision (
    tenant_id int not null references tenant,
    request_id uuid not null,
    outcome text not null check (outcome in ('full', 'partial', 'none')),
    statute text not null default '',
    reason text not null default '',
    first_number bigint,
    last_number bigint,
    decided_by uuid not null,
    decided_at timestamptz not null,
    primary key (tenant_id, request_id),
    check (outcome = 'full' or (statute <> '' and reason <> '')),
    check ((outcome = 'none') = (first_number is null)),
    check ((outcome = 'none') = (last_number is null)),
    check (first_number between 1 and last_number),
    foreign key (tenant_id, request_id) references extract_request (tenant_id, id),
    foreign key (tenant_id, decided_by) references staff (tenant_id, id)
);

-- The extract itself is not kept: it is made of the log each time, and its digest stands here.
create table extract_issue (
    tenant_id int not null references tenant,
    request_id uuid not null,
    id uuid not null,
    part text not null check (part in ('package', 'report')),
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    issued_by uuid not null,
    issued_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, request_id) references extract_decision (tenant_id, request_id),
    foreign key (tenant_id, issued_by) references staff (tenant_id, id)
);
create index extract_issue_of on extract_issue (tenant_id, request_id, issued_at);

-- What was decided on stays as it was decided on.
create function refuse_after_decision() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select from public.extract_decision d
        where d.tenant_id = new.tenant_id and d.request_id = new.request_id
    ) then
        raise exception 'the request is decided' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger extract_test_before_decision before insert or update on extract_test
    for each row execute function refuse_after_decision();

select wall(t) from unnest(array[
    'extract_request', 'extract_test', 'extract_decision', 'extract_issue'
]::regclass[]) as t;
grant select, insert on extract_request, extract_test, extract_decision, extract_issue
    to telecare_app;
grant update (locked_at) on extract_request to telecare_app;
grant update (gives_out, statute, reason, tested_by, tested_at) on extract_test to telecare_app;
