-- release: 1

-- Makes the index of text searches, where it is missing and this server can have one: it needs the extensions pg_trgm
-- and btree_gin, which belong to PostgreSQL's contrib package and which the owner of a database may create. Answers
-- null, or why there is no index; searches then read all tasks of the user. The index begins with the user, so a search
-- does not look at the tasks of others. New texts wait in its list of pending entries, which makes changes cheap.
create or replace function make_search_index() returns text
language plpgsql as $$
begin
    if to_regclass('task_texts_by_text') is not null then
        return null;
    end if;
    -- Building it stops all changes of texts meanwhile.
    if (select reltuples from pg_class where oid = 'task_texts'::regclass) > 100000 then
        return 'there are too many texts to index them while the service works: run create extension pg_trgm; '
            'create extension btree_gin; create index concurrently task_texts_by_text on task_texts '
            'using gin (user_id, search_text gin_trgm_ops)';
    end if;
    lock table task_texts in share row exclusive mode;  -- replicas take turns
    create extension if not exists pg_trgm;
    create extension if not exists btree_gin;
    create index if not exists task_texts_by_text on task_texts using gin (user_id, search_text gin_trgm_ops);
    return null;
exception when insufficient_privilege or undefined_file or feature_not_supported or undefined_object then
    return sqlerrm;
end
$$;
