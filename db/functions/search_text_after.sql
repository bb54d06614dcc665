-- release: 1

-- A task's search_text after a patch: folded title and folded description. A patch without one of the texts keeps the
-- part of that text in p_was; a patch with a text has to bring its folded form.
create or replace function search_text_after(p_was text, p_patch jsonb) returns text
language sql immutable as $$
    select case when p_patch ? 'title' then p_patch->>'folded_title' else split_part(p_was, chr(1), 1) end
           || chr(1) ||
           case when p_patch ? 'description' then p_patch->>'folded_description' else split_part(p_was, chr(1), 2) end
$$;
