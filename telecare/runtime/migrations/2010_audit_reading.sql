-- Reading the log: newest first in a municipality, and what a home's unit said of a call.

set role telecare_audit;
create index body_newest on audit.body (tenant_id, recorded_at desc, entry_id desc);
reset role;
create index edge_event_of_call on edge_event (tenant_id, (payload ->> 'call_id'))
    where kind = 'camera.turned';
