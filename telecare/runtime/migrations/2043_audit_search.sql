-- What a colleague has done about one resident: both sides are compared by numbers alone.

set role telecare_audit;
create index body_of_actor on audit.body (tenant_id, actor_id, recorded_at desc)
    include (entry_id);
drop index audit.body_by_actor;
reset role;
