-- The least that a mutation can write durably: the next number of the user, and a row of 400 bytes.
\set user random(0, :users - 1)
with owner as (update owners set seq = seq + 1 where user_id = 'user-' || (:user)::text returning user_id, seq)
insert into writes (user_id, seq, body) select user_id, seq, repeat('x', 400) from owner;
