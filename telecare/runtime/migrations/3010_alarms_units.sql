-- Other makers' units (larmenheter): who they are, how they prove it, and what they have said.

create table alarm_unit (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    protocol text not null check (protocol in ('scaip', 'dc09')),
    account text not null check (account ~ '^[0-9A-Za-z._-]{1,32}$'),
    networks cidr[] not null,             -- it sends from these
    password bytea,                       -- SIP digest, sealed
    aes_key bytea,                        -- DC-09, sealed
    digest text not null check (digest in ('MD5', 'SHA-256')),
    reply text not null check (reply in ('message', 'in_200')),
    place text not null check (length(place) <= 64),
    registered_at timestamptz not null,
    seen_at timestamptz,
    ended_at timestamptz,
    ending_id uuid,
    primary key (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, ending_id) references ending (tenant_id, id),
    constraint alarm_unit_proves_itself check (
        password is not null or aes_key is not null or cardinality(networks) > 0
    )
);
create unique index alarm_unit_account on alarm_unit (tenant_id, protocol, account)
    where ended_at is null;
create index alarm_unit_of_resident on alarm_unit (tenant_id, resident_id);

-- All but signs of life. A repeat is known by it; what comes of nobody known is found here.
create table alarm_unit_message (
    tenant_id int not null references tenant,
    id uuid not null,
    protocol text not null,
    receiver text not null,
    account text not null,
    source inet not null,
    reference text not null,
    fingerprint bytea not null,
    kind text not null,
    received_at timestamptz not null,
    alarm_unit_id uuid,                   -- null: of no registered unit, or not proven
    alarm_id uuid,
    said jsonb not null,                  -- names and values, in the unit's order
    primary key (tenant_id, id),
    foreign key (tenant_id, alarm_unit_id) references alarm_unit (tenant_id, id),
    foreign key (tenant_id, alarm_id) references alarm (tenant_id, id)
);
create index alarm_unit_message_repeats on alarm_unit_message
    (tenant_id, protocol, account, reference, received_at desc);

select wall(t) from unnest(array['alarm_unit', 'alarm_unit_message']::regclass[]) as t;
grant select, insert, update on alarm_unit to telecare_app;
grant select, insert on alarm_unit_message to telecare_app;
