-- When whoever goes has promised to be there.

alter table dispatch add column arrive_by timestamptz;
