-- Search and titles do not depend on the database's locale.

-- The text that search looks in: title and description, folded by the service (FoldForSearch in src/util/unicode.h),
-- with a character between them that no folded text has. Null: the service has still to fold them, as it does at start.
alter table tasks add column search_text text collate "C";
create index tasks_not_folded on tasks (id) where search_text is null;

-- The order of titles: Unicode's own, whatever the language; letters that differ in case alone are equal.
create collation title_order (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- search_text of a task after p_patch. A patch with new texts and without their folded forms comes from an older
-- program.
create function search_text_after(p_was text, p_patch jsonb) returns text
language sql immutable as $$
    select case when p_patch ?| array['title', 'description'] then
        case when p_patch ? 'title' then p_patch->>'folded_title' else split_part(p_was, chr(1), 1) end
        || chr(1) ||
        case when p_patch ? 'description' then p_patch->>'folded_description' else split_part(p_was, chr(1), 2) end
    else p_was end
$$;

-- apply_change as it is, with search_text: one statement before the task's seq is counted, one column more to write.
do $migration$
declare
    old_text text := pg_get_functiondef('apply_change'::regproc);
    new_text text := replace(replace(old_text,
        '    t.seq := owner.seq + 1;',
        '    t.search_text := search_text_after(was.search_text, p_patch);' || chr(10) || '    t.seq := owner.seq + 1;'),
        'following = t.following',
        'following = t.following, search_text = t.search_text');
begin
    if length(new_text) - length(old_text) <> 95 then
        raise exception 'apply_change is not as this migration expects it';
    end if;
    execute new_text;
end
$migration$;
