-- What somebody holds open is found by her.

create index dispatch_accepted on dispatch (tenant_id, accepted_by) where state <> 'done';
create index visit_of_staff on visit (tenant_id, staff_id, starts_at);
