-- Who really receives alarms: consoles that answered lately, with their sound on.

create table receiver (
    tenant_id int not null references tenant,
    session_id uuid not null,
    staff_id uuid not null,
    unit_id uuid not null,
    heard_at timestamptz not null,
    ready_at timestamptz,                 -- null: its sound is off, or she takes no alarms
    primary key (tenant_id, session_id),
    foreign key (tenant_id, session_id) references session (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
create index receiver_of_staff on receiver (tenant_id, staff_id, heard_at desc);

select wall('receiver');
grant select, insert, update on receiver to telecare_app;
