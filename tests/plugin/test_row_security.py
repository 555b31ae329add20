"""Row-level security in a run: who is exposed, the matrix in the report, and roles that are not there."""

from tests.plugin.conftest import Project, settings


def test_a_run_tells_what_roles_can_do_and_which_of_them_it_does_not_know(project: Project) -> None:
    project.write(
        {
            "migrations/0001_role.sql": "create role web;",
            "migrations/0002_notes.sql": "create table notes (id int primary key, who text);\n"
            "grant select on notes to web;\nalter table notes enable row level security;\n"
            "create policy own on notes using (who = current_user);\n",
            "migrations/0003_view.sql": "create view all_notes as select * from notes;\n"
            "grant select on all_notes to web;\n",
        },
        settings('exposed_roles = ["web", "typo"]'),
    )
    run = project.run("--migsafe-end-state")

    assert run.verdicts["migrations/0003_view.sql"] == "failed"
    assert "view-past-policies: web can read every row of public.notes through the view" in run.text
    # A role that comes with the first file is no more missing than one that is there from the start.
    assert "exposed_roles that do not exist, so that nothing is judged by them: typo\n" in run.text
    first, second, _ = run.report["migrations"]
    assert (first["missing_roles"], first["cluster_changes"][0]["name"]) == (["typo"], "web")
    row = {"table": "public.notes", "role": "web", "SELECT": "policies: own"} | dict.fromkeys(
        ("INSERT", "UPDATE", "DELETE"), "no privilege"
    )
    (end,) = run.report["histories"][0]["ends"]
    assert second["row_security"] == end["row_security"] == [row]
    assert [one["rule"] for one in end["findings"]] == ["view-past-policies"]
    # Planning as other roles leaves no trace in the cluster.
    assert second["cluster_changes"] == []
