-- Which sending of its home unit an alarm was stored at; null: the unit did not say.
alter table alarm add column attempt int check (attempt >= 1);
