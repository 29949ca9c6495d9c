-- Said without network, entered afterwards: when she noted it. The record has when it was received.
alter table dispatch add column arrived_noted_at timestamptz;
alter table dispatch add column done_noted_at timestamptz;
