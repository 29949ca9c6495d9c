-- A person's records are found by her numbers: their places stand in the same index.

set role telecare_audit;
alter table audit.subject_entry
    drop constraint subject_entry_pkey,
    add primary key (tenant_id, resident_id, n) include (entry_id, recorded_at);
reset role;
