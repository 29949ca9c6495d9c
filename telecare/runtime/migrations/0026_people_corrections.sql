-- A text written on the wrong person, or simply wrong (rättelse). It leaves its place at once; what
-- stood there is kept here, struck through, with who, when and why.

create table correction (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null,  -- which kinds there are is decided where packages join (app.py)
    about_id uuid not null,
    resident_id uuid not null,
    right_resident_id uuid,  -- whom it was about in truth
    why text not null,
    old_text text not null,
    new_text text,
    written_by uuid,
    written_at timestamptz not null,
    corrected_by uuid not null,
    corrected_at timestamptz not null,
    primary key (tenant_id, id),
    check (right_resident_id <> resident_id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, right_resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, written_by) references staff (tenant_id, id),
    foreign key (tenant_id, corrected_by) references staff (tenant_id, id)
);
create index correction_of on correction (tenant_id, resident_id, corrected_at);
create index correction_to on correction (tenant_id, right_resident_id, corrected_at)
    where right_resident_id is not null;

select wall('correction');
grant select, insert on correction to telecare_app;
grant update (body, closed_at) on objection to telecare_app;
