-- "Vem har tittat" for a cohabitant who has said yes: off unless she wants it, and only where the
-- resident shows it at all, for the screen and the calls are hers. Who asked gets a letter.

alter table cohabitant add column shows_looks boolean not null default false;

create table look_question (
    tenant_id int not null references tenant,
    item_id uuid not null,
    cohabitant_id uuid,  -- null: the resident herself
    asked_at timestamptz not null,
    letter_printed_at timestamptz,
    id uuid not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, item_id) references review_item (tenant_id, id),
    foreign key (tenant_id, cohabitant_id) references cohabitant (tenant_id, id)
);
create unique index look_question_once on look_question
    (tenant_id, item_id, coalesce(cohabitant_id, '00000000-0000-0000-0000-000000000000'::uuid));
select wall('look_question');
grant select, insert on look_question to telecare_app;
grant update (letter_printed_at) on look_question to telecare_app;
