"""`vmdiag explain`: list the scenarios, or print one as a page; must not know any single scenario."""

from vmdiag.cli import options


def explain(scenario: options.ScenarioName = None, *, debug: options.Debug = False) -> None:  # noqa: ARG001 - see Debug
    """List the scenarios, or explain one."""
    import shutil

    from vmdiag import plugins
    from vmdiag.cli.output_file import open_output
    from vmdiag.cli.scenario_page import find_scenario, format_index, format_page
    from vmdiag.diagnosis import scenarios

    known = [plugins.load(scenarios, name).SCENARIO for name in plugins.list_names(scenarios)]
    width = shutil.get_terminal_size().columns
    lines = format_index(known) if scenario is None else format_page(find_scenario(scenario, known), width)
    with open_output() as out:
        out.writelines(f"{line}\n" for line in lines)
