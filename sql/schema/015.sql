-- Files that a cluster has loaded: the folder load=... of its warehouse, and the place of the file there; both are NULL
-- of a load until it is committed.
create table loads (load text not null, place bigint, batch_id bigint);
