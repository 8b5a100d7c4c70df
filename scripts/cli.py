"""한 줄: one-line Korean ad-copy datasets and small language models, released on the Hugging Face Hub."""

# Heavy imports stay inside the commands, so that `hanjul --help` answers at once.

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from pipelines.progress import be_quiet
from scripts import hub_users
from scripts.core import crash, env, faults
from scripts.hub import session

if TYPE_CHECKING:
    from huggingface_hub import HfUri

    from scripts.core.settings import Recipe
    from scripts.hub.hub import Hub


class Guarded(typer.core.TyperGroup):
    """The one place where an error becomes words: a known one a sentence, any other a log file and four lines."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with faults.explained():
                return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort):  # usage errors, and the ways in which commands end
            raise
        except HanjulError as error:
            if isinstance(error.__context__, KeyboardInterrupt):
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending: a second Ctrl-C would be a traceback
            raise typer.Exit(crash.report_known(error, debug=OPTIONS.debug)) from None
        except Exception as error:
            if isinstance(error, BrokenPipeError) and _stdout_is_gone():
                raise  # whoever read our output has enough of it
            command = str(ctx.invoked_subcommand or "hanjul")
            raise typer.Exit(crash.report_bug(error, command, debug=OPTIONS.debug)) from None


def _stdout_is_gone() -> bool:
    try:
        print(end="", file=sys.__stdout__, flush=True)
    except BrokenPipeError:
        return True
    return False


app = typer.Typer(cls=Guarded, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
space_app = typer.Typer(no_args_is_help=True, help="The demo: on the Hub, or the same app on this machine.")
hub_app = typer.Typer(no_args_is_help=True, help="The local Hub.")
app.add_typer(space_app, name="space")
app.add_typer(hub_app, name="hub")
hub_app.add_typer(hub_users.app, name="users")


class Format(StrEnum):
    human = "human"
    json = "json"
    quiet = "quiet"


class Place(StrEnum):
    """Where a training runs."""

    here = "here"
    jobs = "jobs"


@dataclass
class Options:
    """What the flags before the command say."""

    local: bool = False
    format: Format = Format.human
    debug: bool = False


OPTIONS = Options()

RecipeFlag = Annotated[
    str, typer.Option("--recipe", help="A recipe's file, or the name of one that ships with Hanjul.")
]
DryRunFlag = Annotated[
    bool,
    typer.Option("--dry-run", help="Say which endpoints would be asked, the cost, and what is missing; ask none."),
]
SetFlag = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the recipe, e.g. train.epochs=1."),
]


@app.callback()
def options(
    local: Annotated[bool, typer.Option("--local", help="Use the local Hub although a token is there.")] = False,
    format: Annotated[Format, typer.Option(help="human, json (the manifest) or quiet (no log).")] = Format.human,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    OPTIONS.local, OPTIONS.format, OPTIONS.debug = local, format, debug
    if format is Format.quiet:
        be_quiet()


@contextmanager
def hub_session(recipe: Recipe | None = None) -> Iterator[Hub]:
    """The Hub, and stdout kept for data: what libraries print meanwhile goes to stderr.

    Args:
        recipe: whose names are checked first.
    """
    with redirect_stdout(sys.stderr), session.hub_session(local=OPTIONS.local) as hub:
        if recipe:
            from scripts.hub import names

            names.check(recipe, hub.namespace)
        yield hub


def out(text: str) -> None:
    """A line of data on the real stdout."""
    print(text, file=sys.__stdout__, flush=True)


def load_recipe(name: str, changes: list[str] | None, **flags: Any) -> Recipe:
    """The recipe with `--set KEY=VALUE` on top, and on top of that the command's own flags where they are given.

    Args:
        flags: `section__key=value`; None is not given. No flag has a default: those stand in `scripts.core.settings`.
    """
    import yaml

    from scripts import recipes

    overrides: dict[str, Any] = {}
    for change in changes or []:
        key, equals, value = change.partition("=")
        if not equals:
            raise HanjulError("--set wants KEY=VALUE", change, "e.g. --set train.epochs=1")
        try:
            overrides[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise HanjulError("The value of --set is not YAML", change, "e.g. --set train.epochs=1") from error
    overrides |= {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    return recipes.load(name, overrides)


def emit(hub: Hub, uri: HfUri) -> None:
    """The answer on stdout: the manifest with --format json, else the pinned URI as the last line."""
    if OPTIONS.format is Format.json:
        out(json.dumps({"uri": uri.to_uri()} | hub.manifest(uri), ensure_ascii=False, indent=2))
    else:
        out(uri.to_uri())


@app.command()
def release(
    recipe: Annotated[
        str, typer.Argument(help="A recipe's file, or `offline`, `full`, `imported` or `endpoint`.")
    ] = "offline",
    input: Annotated[str | None, typer.Option(help="Rows to import: a file or hf://datasets/…")] = None,
    dry_run: DryRunFlag = False,
    changes: SetFlag = None,
) -> None:
    """Make and publish everything a recipe names, then tag it. Goes on where it was interrupted."""
    loaded = load_recipe(recipe, changes, import__source=input)
    if dry_run:
        env.opt_out()
        from scripts import dry_run as plan

        out(plan.of_release(loaded, local_hub=OPTIONS.local or not env.has_token()))
        return
    with hub_session(loaded) as hub:
        from scripts.stages import release as flow
        from scripts.teaching import limits

        released = flow.run(hub, loaded)
        if OPTIONS.format is Format.json:
            out(json.dumps(released.as_dict(), ensure_ascii=False, indent=2))
        else:
            out(released.table(hub))
        for uri in released.asked:
            limits.raise_if_reached(hub, uri, released.version)


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="JSON, JSONL, CSV, Excel, Parquet or hf://…; `starter` is ours.")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Rows to take, drawn by seed; by default the recipe's, without one all.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe's file or name, whose limit counts; else `imported`, and all rows.")
    ] = None,
    changes: SetFlag = None,
) -> None:
    """Import rows as config `raw`; also with the columns 상품 / 담고자 하는 가치 / 카피라이팅.

    Of the votes that the demo keeps, hf://datasets/NS/hanjul-feedback, the preferences become config `feedback`.
    """
    # `imported` draws fewer rows than there are, for the sake of a release that ends soon.
    whole = [] if recipe else ["import.limit=null"]
    loaded = load_recipe(recipe or "imported", [*whole, *(changes or [])], import__source=source, import__limit=limit)
    with hub_session(loaded) as hub:
        from scripts.stages import import_rows

        emit(hub, import_rows.run(hub, hub.repo("dataset", loaded.dataset, "dataset"), loaded.import_, loaded.seed))


@app.command()
def pairs(
    n: Annotated[int | None, typer.Option("--n", help="How many pairs.")] = None,
    dry_run: DryRunFlag = False,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Plan product–value pairs from the taxonomy: config `pairs`."""
    loaded = load_recipe(recipe, changes, pairs__n=n)
    if loaded.pairs is None:
        raise HanjulError("The recipe plans no pairs", f"{recipe}: pairs", "give it a section `pairs`, or use --n")
    if dry_run:
        env.opt_out()
        from scripts import dry_run as plan

        out(plan.of_pairs(loaded.pairs, local_hub=OPTIONS.local or not env.has_token()))
        return
    with hub_session(loaded) as hub:
        from scripts.models import models
        from scripts.stages import pairs as stage
        from scripts.teaching import limits

        base = models.resolve_base(hub, loaded.train) if loaded.pairs.propose else None
        dataset = hub.repo("dataset", loaded.dataset, "dataset")
        uri = stage.run(hub, dataset, None, loaded.pairs, loaded.seed, base=base)
        emit(hub, uri)
        limits.raise_if_reached(hub, uri)


@app.command()
def synthesize(
    uri: Annotated[str, typer.Argument(help="Dataset with config `pairs`: hf://datasets/…")],
    teacher: Annotated[
        str | None, typer.Option(help="Adapter that writes, without an endpoint; else that of `train.repo`.")
    ] = None,
    n: Annotated[int | None, typer.Option("--n", min=1, help="Accepted rows wanted; asks on until they are.")] = None,
    examples: Annotated[
        str | None, typer.Option(help="File or hf://datasets/… with the examples to show, instead of ours.")
    ] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Most that may be spent.")] = None,
    batch: Annotated[bool | None, typer.Option("--batch", help="Use the provider's Batch API: half the price.")] = None,
    engine: Annotated[str | None, typer.Option(help="local, or ray: the cluster that RAY_ADDRESS names.")] = None,
    dry_run: DryRunFlag = False,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Let a teacher write lines for the pairs: config `raw`."""
    flags: dict[str, Any] = {"n": n, "examples_from": examples, "engine": engine}
    flags |= {"budget__max_usd": max_usd, "budget__batch": batch}
    loaded = load_recipe(recipe, changes, **{f"synthesize__{name}": value for name, value in flags.items()})
    with hub_session(loaded) as hub:
        from scripts.hub import inputs
        from scripts.models import models
        from scripts.stages import synthesize as stage
        from scripts.teaching import estimate, limits, teachers

        pairs = inputs.pinned(hub, uri, stage.READS, but=stage.WRITES)
        adapter = hub.resolve(teacher, "model") if teacher else teachers.adapter_of(hub, loaded)
        if dry_run:
            out(estimate.of_pairs(hub, pairs, adapter, loaded).table())
            return
        counted = loaded.synthesize and loaded.synthesize.n is not None and loaded.filter.judge != "none"
        base = models.scorer_of(hub, [models.resolve_base(hub, loaded.train)]) if counted else None
        written = stage.run(hub, pairs, adapter, base, loaded)
        emit(hub, written)
        limits.raise_if_reached(hub, written)


@app.command("filter")
def filter_(
    uri: Annotated[str, typer.Argument(help="Dataset with config `raw`: hf://datasets/…")],
    judge: Annotated[str | None, typer.Option(help="sense, or none: the rules alone decide.")] = None,
    engine: Annotated[str | None, typer.Option(help="local, or ray: the cluster that RAY_ADDRESS names.")] = None,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Good rows become config `default` (and `preferences`), others `rejected` with a reason, or `candidates`."""
    loaded = load_recipe(recipe, changes, filter__judge=judge, filter__engine=engine)
    with hub_session(loaded) as hub:
        from scripts.hub import inputs
        from scripts.models import models
        from scripts.stages import filter as stage

        base = (
            models.scorer_of(hub, [models.resolve_base(hub, loaded.train)]) if loaded.filter.judge != "none" else None
        )
        emit(hub, stage.run(hub, inputs.pinned(hub, uri, stage.READS), base, loaded))


@app.command()
def train(
    uri: Annotated[str, typer.Argument(help="Dataset: hf://datasets/…")],
    start: Annotated[
        str | None, typer.Option(help="An SFT adapter: go on from it with the preferences (DPO). hf://models/…")
    ] = None,
    merge: Annotated[bool | None, typer.Option("--merge", help="Publish the merged model too.")] = None,
    gguf: Annotated[bool | None, typer.Option("--gguf", help="Publish GGUFs of it too: Q8_0, Q4_K_M, Q8_0-ko.")] = None,
    on: Annotated[Place, typer.Option(help="here, or jobs: a machine of Hugging Face, paid for.")] = Place.here,
    flavor: Annotated[str | None, typer.Option(help="Its kind, by `hf jobs hardware`; else a10g-small.")] = None,
    timeout: Annotated[str | None, typer.Option(help="When it stops at the latest, like 90m; else 6h.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what --on jobs would upload and run.")] = False,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Train a LoRA adapter and publish it; recipes `train/…` are there for several base models."""
    if on is Place.here and (flavor or timeout or dry_run):
        raise typer.BadParameter("--flavor, --timeout and --dry-run go with --on jobs")
    flags = {"train__start": start, "train__method": "dpo" if start else None}
    loaded = load_recipe(recipe, changes, **flags, train__merge=merge, train__gguf=gguf)
    if on is Place.jobs:
        _train_on_jobs(uri, recipe, loaded, flavor, timeout, dry_run)
        return
    with hub_session(loaded) as hub:
        from dataset_card.head import RELEASED
        from scripts.exporting import exports
        from scripts.hub import inputs
        from scripts.models import models
        from scripts.stages import train as stage

        dataset, base = inputs.pinned(hub, uri, RELEASED), models.resolve_base(hub, loaded.train)
        adapter = stage.run(hub, dataset, base, loaded.train, loaded.seed)
        for other in exports.run(hub, adapter, dataset, loaded.train).values():
            if OPTIONS.format is not Format.json:
                out(other.to_uri())
        emit(hub, adapter)


def _train_on_jobs(uri: str, name: str, recipe: Recipe, flavor: str | None, timeout: str | None, dry_run: bool) -> None:
    """Start the training elsewhere: the job's page on stdout, or all that is uploaded and run."""
    if OPTIONS.local or not env.has_token():
        raise HanjulError("HF Jobs takes a token", "--on jobs", "log in with `hf auth login`, or leave --on jobs out")
    with hub_session(recipe) as hub:
        from scripts.jobs import training as jobs

        facts = jobs.run(hub, hub.resolve(uri, "dataset"), name, recipe, flavor, timeout, dry_run)
        if OPTIONS.format is Format.json:
            out(json.dumps(facts, ensure_ascii=False, indent=2))
        else:
            out(jobs.table(facts) if dry_run else facts["url"])


@app.command()
def evaluate(
    uris: Annotated[list[str], typer.Argument(help="Adapters to compare: hf://models/…")],
    dataset: Annotated[str, typer.Option(help="Dataset whose test split is used: hf://datasets/…")],
    teacher: Annotated[
        str | None, typer.Option(help="Adapter that wrote the rows, to compare with: hf://models/…")
    ] = None,
    scorer: Annotated[str | None, typer.Option(help="Base or adapter whose likelihoods judge: hf://models/…")] = None,
    votes: Annotated[str | None, typer.Option(help="People's votes to set the judges beside: hf://datasets/…")] = None,
    dry_run: DryRunFlag = False,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Judge adapters, their bases and the teacher on the same pairs; the report goes onto each adapter's card."""
    loaded = load_recipe(recipe, changes, evaluate__scorer=scorer, evaluate__votes=votes)
    with hub_session(loaded) as hub:
        from dataset_card.head import RELEASED
        from scripts.hub import inputs
        from scripts.stages import evaluate as stage

        adapters, rows = [hub.resolve(uri, "model") for uri in uris], inputs.pinned(hub, dataset, RELEASED)
        writer = hub.resolve(teacher, "model") if teacher else None
        if dry_run:
            from scripts import dry_run as plan

            out(plan.of_evaluation(hub, adapters, rows, loaded, writer))
            return
        for uri in stage.run(hub, adapters, rows, loaded, writer):
            emit(hub, uri)


@app.command()
def calibrate(
    dataset: Annotated[str, typer.Argument(help="Dataset whose held-out rows make the contrast set: hf://datasets/…")],
    scorer: Annotated[str | None, typer.Option(help="Base or adapter whose likelihoods judge: hf://models/…")] = None,
    votes: Annotated[str | None, typer.Option(help="People's votes to set the judges beside: hf://datasets/…")] = None,
    repo: Annotated[str | None, typer.Option(help="Dataset repo of the contrast set and the judges.")] = None,
    dry_run: DryRunFlag = False,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Measure how far each judge can be trusted, on good lines and lines perturbed on purpose; publish both."""
    loaded = load_recipe(recipe, changes, evaluate__scorer=scorer, evaluate__votes=votes, calibrate__repo=repo)
    with hub_session(loaded) as hub:
        from dataset_card.head import RELEASED
        from scripts.hub import inputs
        from scripts.stages import calibrate as stage

        rows = inputs.pinned(hub, dataset, RELEASED)
        if dry_run:
            from scripts import dry_run as plan

            out(plan.of_calibration(hub, rows, loaded))
            return
        emit(hub, stage.run(hub, rows, loaded))


@app.command()
def label(
    uris: Annotated[
        list[str] | None, typer.Argument(help="Evaluated adapters, or datasets: hf://models/…, hf://datasets/…")
    ] = None,
    question: Annotated[str, typer.Option(help=f"overall, {', '.join(METRICS)}.")] = "overall",
    n: Annotated[int, typer.Option("--n", min=1, help="Pairs of lines at most.")] = 120,
    repo: Annotated[str, typer.Option(help="Dataset repo of the votes.")] = "hanjul-votes",
    host: Annotated[str, typer.Option(help="0.0.0.0: whoever reaches this machine may vote.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 7861,
    push: Annotated[bool, typer.Option("--push", help="Publish the votes when the page ends; alone, at once.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Publish the votes of a CSV file instead.")] = None,
) -> None:
    """Open a page on which people say which of two lines is better; their votes become a dataset."""
    if sum([bool(uris), csv is not None, push and not uris and csv is None]) != 1:
        raise typer.BadParameter("give URIs of lines, or --csv FILE, or --push alone")
    with hub_session() as hub:
        from scripts.stages import label as stage

        found: HfUri | None
        if csv:
            found = stage.import_csv(hub, csv, repo)
        elif uris:
            found = stage.run(hub, uris, repo=repo, question=question, limit=n, host=host, port=port, push=push)
        else:
            found = stage.publish(hub, repo)
        if found:
            emit(hub, found)


@app.command()
def generate(
    uri: Annotated[str, typer.Argument(help="Adapter: hf://models/…")],
    product: Annotated[str, typer.Option(help="What is advertised, e.g. 제습기.")],
    value: Annotated[list[str], typer.Option(help="A value to convey; repeat for more.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many lines.")] = 5,
    temperature: Annotated[float | None, typer.Option(min=0, help="0 is greedy.")] = None,
    seed: int = 0,
) -> None:
    """Write lines for a product on stdout."""
    with hub_session() as hub:
        from scripts.stages import generate as stage

        for line in stage.run(hub, hub.resolve(uri, "model"), product, value, n, temperature, seed):
            out(line)


@space_app.command("deploy")
def space_deploy(
    uri: Annotated[str, typer.Argument(help="Adapter: hf://models/…")],
    hardware: Annotated[
        str | None, typer.Option(help="zero (which takes no paid plan), cpu, or a name of the Hub's, e.g. t4-small.")
    ] = None,
    feedback: Annotated[str | None, typer.Option(help="Private dataset repo that visitors' votes go to.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Secret for the page, from the variable NAME; NAME=VARIABLE from another."),
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Variable for the page, e.g. HANJUL_ENGINE=llama.")
    ] = None,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Have the page write a line when it runs; else it failed.")
    ] = None,
    recipe: RecipeFlag = "offline",
    changes: SetFlag = None,
) -> None:
    """Commit the demo to a Space repo, pinned to the adapter, set the Space up, and see it write a line."""
    loaded = load_recipe(recipe, changes, space__hardware=hardware, space__feedback=feedback)
    with hub_session(loaded) as hub:
        from scripts.core.log import log
        from scripts.demo import deploying, facts
        from scripts.stages import space

        adapter = hub.resolve(uri, "model")
        variables, secrets = deploying.variables_of(variable or []), deploying.secrets_of(secret or [])
        gguf = facts.gguf_of(hub, adapter)
        deployed = space.deploy(hub, adapter, loaded, gguf=gguf, variables=variables, secrets=secrets)
        if wait or (wait is None and not hub.is_local):
            from scripts.demo import waiting

            waiting.check_deployed(hub, deployed, 60 * loaded.space.minutes)
        if hub.is_local:
            log(
                f"space: nothing runs on the local Hub; `hanjul space run hf://spaces/{deployed.id}` runs the page here"
            )
        elif OPTIONS.format is not Format.json:
            out(f"{hub.api.endpoint}/spaces/{deployed.id}")
        emit(hub, deployed)


@space_app.command("run")
def space_run(
    uri: Annotated[str, typer.Argument(help="Space or adapter: hf://spaces/… or hf://models/…")],
    port: Annotated[int, typer.Option(min=0, max=65535)] = 7860,
) -> None:
    """Serve the demo on this machine until Ctrl-C."""
    with hub_session() as hub:
        from scripts.stages import space

        space.serve(hub, hub.resolve(uri), port)


@hub_app.command("serve")
def hub_serve(
    port: Annotated[int, typer.Option(min=0, max=65535)] = env.HUB_PORT,
    host: Annotated[str, typer.Option(help="0.0.0.0: for a team, whose members have tokens.")] = "127.0.0.1",
) -> None:
    """Serve the local Hub until Ctrl-C, for load_dataset, from_pretrained and the like."""
    from scripts.core.log import log
    from scripts.hub.session import local_hub_errors
    from scripts.local_hub.server import serve

    log(f"store: {env.hub_store()}; the owner's token is in its file `token`; Ctrl-C ends")
    with local_hub_errors():
        serve(env.hub_store(), port, host)


@app.command()
def doctor() -> None:
    """What is installed, reachable and missing, and the command that mends it."""
    from scripts import doctor as checks

    if not checks.report():
        raise typer.Exit(1)


def main() -> None:
    """Entry point. Exits with 0, 1 (a known error), 2 (usage), 3 (a limit was reached) or 70 (a bug)."""
    app()


if __name__ == "__main__":
    main()
