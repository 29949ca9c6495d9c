-- Log review (loggkontroll): who looks at what others have read, and what she found.

create table log_review (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    since timestamptz not null,
    until timestamptz not null,
    drawn_at timestamptz not null,
    drawn_by uuid not null,
    -- what the sample was drawn by, so that anyone can draw it anew
    seed_log int not null,
    seed_size bigint not null,
    seed_root bytea not null check (octet_length(seed_root) = 32),
    seed_witness text,  -- null: no outsider had signed a head since the period; our own
    population int not null,
    signed_at timestamptz,
    signed_by uuid,
    statement text,
    primary key (tenant_id, id),
    unique (tenant_id, unit_id, since, until),
    check (until > since),
    check ((signed_at is null) = (signed_by is null)),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, drawn_by) references staff (tenant_id, id),
    foreign key (tenant_id, signed_by) references staff (tenant_id, id)
);

-- One record that somebody else looks at. An opening without a mission is one from its first moment.
create table review_item (
    tenant_id int not null references tenant,
    id uuid not null,
    review_id uuid,
    entry_id bigint not null,
    at timestamptz not null,
    event text not null,
    staff_id uuid not null,  -- whose act it was
    unit_id uuid not null,  -- the person's unit, else hers: whose head is asked
    resident_id uuid,
    drawn text not null check (drawn in ('sample', 'rule', 'break_glass')),
    hits jsonb not null default '[]',
    due_at timestamptz,
    overdue_at timestamptz,
    asked_at timestamptz,
    asked_by uuid,
    question text,
    outcome text check (outcome in ('justified', 'unjustified')),
    comment text not null default '',
    closed_at timestamptz,
    closed_by uuid,
    primary key (tenant_id, id),
    unique (tenant_id, entry_id),
    constraint reviewer_is_another check (closed_by <> staff_id and asked_by <> staff_id),
    check (
        (outcome is null) = (closed_at is null) and (outcome is null) = (closed_by is null)
    ),
    check ((asked_at is null) = (asked_by is null) and (asked_at is null) = (question is null)),
    check (outcome is distinct from 'unjustified' or length(comment) >= 3),
    foreign key (tenant_id, review_id) references log_review (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, asked_by) references staff (tenant_id, id),
    foreign key (tenant_id, closed_by) references staff (tenant_id, id)
);
create index review_item_of on review_item (tenant_id, review_id);
create index review_item_open on review_item (tenant_id, due_at) where closed_at is null;

select wall(t) from unnest(array['log_review', 'review_item']::regclass[]) as t;
grant select, insert, update on log_review, review_item to telecare_app;
