-- "Vem har tittat" on the TV: off unless she wants it. What she asks about is looked at by somebody.

alter table resident add column shows_looks boolean not null default false;
grant update (shows_looks) on resident to telecare_app;

alter table review_item drop constraint review_item_drawn_check;
alter table review_item add constraint review_item_drawn_check check (
    drawn in ('sample', 'rule', 'break_glass', 'asked')
);
