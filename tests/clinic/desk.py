"""A small trial with every kind of question, a few charts, an empty sheet, and the program as a clinic runs it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from clinic.abstractor import Cells, Edit, fill_workbook, rows_of
from eligibility.cli.app import app
from eligibility.model.finding import CriterionResult, Screening
from eligibility.report.results import Results
from eligibility.screening import Screener, screen_with
from eligibility.workbench.worksheet import Worksheet

DATE = "2026-11-01"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "patients"

TRIAL = """\
trial:
  id: CLINIC-1
  title: An example trial of a clinic's Monday
  diseases: [ms]
  version: "2026-08-22"
  recruitment: {status: recruiting, as_of: 2026-08-22}
  record: {registry: an example registry, date: 2026-08-22, completeness: partial}
schedule:
  screening: {looks_back: 28 days, basis: published}
  leukapheresis: {basis: published}
lists:
  older-drugs: [azathioprine, methotrexate, mycophenolate]
inclusion:
  - id: I1
    text: Multiple sclerosis is on record
    when: {condition: multiple-sclerosis, ever: true, documented: true}
  - id: I2
    text: EDSS from 3.0 to 6.5 at screening
    when: {observation: edss, at: screening, latest: {from: "3.0", to: "6.5"}}
  - id: I3
    text: Haemoglobin of 8 g/dL or more at screening
    when: {observation: hemoglobin, at: screening, latest: {at_least: 8 g/dL}}
  - id: I4
    text: ALT at most twice the upper limit at screening
    when: {observation: alt, at: screening, latest: {at_most: 2 x ULN}}
  - id: I5
    text: Two of the older drugs without enough response
    when:
      medication: older-drugs
      ever: true
      where: {outcome: [inadequate-response]}
      count: {distinct: entry, at_least: 2}
      if_not_recorded: unknown
  - id: I6
    text: Consent
    ask: Was the consent form signed?
    valid_for: 4 weeks
  - id: I7
    text: EDSS up by one point within two years, held for six months
    when: {observation: edss, within: 2 years, rise: {at_least: "1.0", sustained: 6 months}}
exclusion:
  - id: E1
    text: Ocrelizumab within 6 months before leukapheresis
    when: {medication: ocrelizumab, within: 6 months, before: leukapheresis}
  - id: E2
    text: Cancer ever, but for basal cell carcinoma that was cut out
    when: {condition: cancer, ever: true, except: [{condition: basal-cell-carcinoma, ask: "Was it wholly cut out?"}]}
  - id: E3
    text: Hypertension out of control
    when: {all_of: [{condition: hypertension, now: true}, {ask: "Is the blood pressure out of control?"}]}
  - id: E4
    text: A known reaction to cyclophosphamide
    when: {allergy: cyclophosphamide, ever: true}
  - id: E5
    text: Anything else that the protocol names
    not_published: the protocol's further list
"""

ARMS = """\
trial: {id: CLINIC-2, title: A trial with arms, diseases: [ms, mg], record: {registry: an example registry, completeness: full}}
inclusion:
  - id: I1
    text: Adults
    when: {age: {at_least: 18 years}}
arms:
  ms:
    title: Multiple sclerosis
    inclusion:
      - id: I2
        text: Multiple sclerosis is on record
        when: {condition: multiple-sclerosis, ever: true, documented: true}
      - id: I3
        text: Relapse within two years
        when: {condition: ms-relapse, within: 2 years}
      - id: I4
        text: Able to travel
        ask: Can the patient come to the site?
  mg:
    title: Myasthenia gravis
    inclusion:
      - id: I2
        text: Myasthenia gravis is on record
        when: {condition: myasthenia-gravis, ever: true, documented: true}
"""

P1 = """\
id: p1
birth_date: 1980-05-01
sex: female
written: 2026-11-01
conditions:
  - {concept: multiple-sclerosis, start: 2015, status: active}
  - {concept: hypertension, start: 2021-03, status: active}
  - {concept: basal-cell-carcinoma, start: 2019-06, end: 2019-07, status: resolved}
observations:
  - {concept: edss, date: 2025-01-10, value: 3.0}
  - {concept: edss, date: 2025-09-02, value: 4.0}
  - {concept: edss, date: 2026-10-20, value: 4.5}
  - {concept: hemoglobin, date: 2026-08-11, value: 12.4, unit: g/dL}
  - {concept: alt, date: 2026-10-20, value: 61, unit: U/L, range: {low: 7, high: 40}}
medications:
  - {concept: ocrelizumab, kind: administration, start: 2026-09-10, status: completed}
  - {concept: azathioprine, start: 2016-02-01, end: 2018-05-30, status: stopped, outcome: inadequate-response, dose: 150 mg/day}
absences:
  - {family: allergy, kind: none-known, as_of: 2026-10-20}
"""

P2 = """\
id: p2
birth_date: 1991
sex: male
written: 2026-10-30
conditions:
  - {concept: multiple-sclerosis, start: 2019-11, status: active}
  - {concept: ms-relapse, date: 2026-02-03}
observations:
  - {concept: edss, date: 2026-10-12, value: 3.5}
  - {concept: hemoglobin, date: 2026-10-12, value: 14.1, unit: g/dL}
medications:
  - {concept: natalizumab, start: 2021-01-11, status: active}
"""

P3 = """\
id: p3
birth_date: 1975-02-10
sex: female
deceased: 2026-10-28
conditions:
  - {concept: multiple-sclerosis, start: 2009, status: active}
"""


@dataclass
class Clinic:
    """A folder with rules and charts, and the program run on its own rules alone."""

    folder: Path

    def __call__(self, *arguments: str, own: bool = True) -> Result:
        """Run the program; with ``own`` on the folder's rules alone."""
        rules = ["--rules", str(self.rules), "--no-library"] if own else []
        return CliRunner().invoke(app, [*arguments, *rules], prog_name="eligibility")

    @property
    def rules(self) -> Path:
        return self.folder / "rules"

    @property
    def charts(self) -> str:
        return str(self.folder / "charts")

    def path(self, name: str) -> Path:
        return self.folder / name


@dataclass
class Desk:
    """An empty sheet of the small trials, filled in with what a test types."""

    screener: Screener
    path: Path

    def fill(self, *charts: dict[str, Cells], edit: Edit | None = None) -> Path:
        """The workbook with these charts in it."""
        sheet = Worksheet.of(self.screener.plans, self.screener.vocabulary, dt.date.fromisoformat(DATE), self.screener.as_of, len(charts))
        self.path.write_bytes(sheet.xlsx())
        fill_workbook(self.path, list(charts), edit)
        return self.path

    def screen(self, *charts: dict[str, Cells], edit: Edit | None = None) -> Results:
        """What the program makes of it."""
        return screen_with(self.screener, [self.fill(*charts, edit=edit)])

    def rows(self) -> list[str]:
        """The names of the rows of an empty sheet."""
        return rows_of(self.fill({}))


def criteria(screening: Screening) -> dict[str, CriterionResult]:
    """The criteria of a trial by name."""
    named = {result.id: result for result in screening.criteria}
    return named | {f"{arm.arm}/{result.id}": result for arm in screening.arms for result in arm.criteria}


def of(results: Results, patient: str, trial: str = "CLINIC-1") -> dict[str, CriterionResult]:
    """One patient's criteria of a trial by name."""
    report = next(one for one in results.patients if one.patient == patient)
    return criteria(next(one for one in report.result.screenings if one.trial == trial))


def codes(results: Results) -> list[tuple[str, str]]:
    """The problems of a run: code and place."""
    return [(problem.code, problem.where or "") for problem in results.problems]
