-- "Ta över" belongs to the shift it was done in, and one shift may take over several people.

drop index assignment_once;
create unique index assignment_once on assignment
    (tenant_id, source, source_id, staff_id, resident_id) where source_id is not null;
