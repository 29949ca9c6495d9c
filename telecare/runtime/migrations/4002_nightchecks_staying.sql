-- A home that needs a visit stays open to whoever saw it; speech into the home; a private room.

alter table night_check add column again_at timestamptz;

-- 'asked': her home gives its signal first; 'on': the home has said that it plays the voice.
alter table call add column speech text check (speech in ('asked', 'on'));

-- "Jag sitter i avskilt rum", once for each shift.
create table night_private_room (
    tenant_id int not null references tenant,
    shift_id uuid not null,
    said_at timestamptz not null,
    primary key (tenant_id, shift_id),
    foreign key (tenant_id, shift_id) references shift (tenant_id, id)
);
select wall('night_private_room'::regclass);
grant select, insert on night_private_room to telecare_app;
