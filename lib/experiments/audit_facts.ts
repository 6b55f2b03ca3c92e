/** Counts, venues, the worked example of Figure 4, and rows that are known from elsewhere. */
import { datasets } from "../data/dataset.ts";
import type { AuditEntry } from "./audit_entry.ts";
import { tables } from "./items.ts";
import type { PaperTable } from "./item.ts";

/** Venue and year of the bibliography's entries that the tables cite. */
const bibliography: Readonly<Record<number, string>> = {
  3: "MICCAI 2021",
  11: "ECCV 2024",
  12: "MedIA 2024",
  13: "CVPR 2024",
  18: "MICCAI 2019",
  19: "CVPR 2023",
  28: "AAAI 2021",
  32: "3DV 2016",
  33: "MICCAI 2020",
  34: "CVPR 2021",
  35: "CMIG 2022",
  36: "Neural Networks 2022",
  37: "MedIA 2022",
  38: "ICCV 2023",
  39: "CVPR 2023",
  40: "CVPR 2019",
};

/** Numbers of section 4.1. */
const stated = [
  { title: "LA", scans: 100, parts: [80, 20] },
  { title: "Pancreas-CT", scans: 82, parts: [62, 20] },
  { title: "BraTS", scans: 335, parts: [250, 25, 60] },
] as const;

/** Splits and label counts. */
export function countChecks(): AuditEntry[] {
  const splits = stated.map(({ title, scans, parts }): AuditEntry => {
    const sum = parts.reduce((total: number, part) => total + part, 0);
    return {
      check: "cases of a split add up",
      where: `4.1, ${title}`,
      arithmetic: `${parts.join(" + ")} = ${sum}, stated ${scans}`,
      finding: sum === scans ? "consistent" : "inconsistent",
    };
  });
  const rows = tables.slice(0, 3).flatMap(({ number, rows }) => {
    const { train } = datasets[rows[0].run.dataset].split;
    const settings = new Map(rows.map((row) => [row.scans!.join(" "), row]));
    return [...settings.values()].map(({ scans, run }): AuditEntry => {
      const [labelled, unlabelled] = scans!;
      const share = 100 * labelled / train;
      const adds = run.method === "vnet" ? labelled <= train : labelled + unlabelled === train;
      return {
        check: "labelled and unlabelled scans",
        where: `Table ${number}, ${labelled} (${run.share}%) labelled, ${unlabelled} unlabelled`,
        arithmetic: `${labelled} + ${unlabelled} = ${labelled + unlabelled} of ${train} training cases; ` +
          `${labelled}/${train} = ${share.toFixed(1)} %, printed ${run.share} %`,
        finding: adds && Math.abs(share - run.share) < 1 ? "consistent" : "inconsistent",
      };
    });
  });
  return [...splits, ...rows, {
    check: "cases of a split add up",
    where: "4.1, Pancreas-CT",
    arithmetic: "two of the 82 published scans were withdrawn later as duplicates, which leaves 80: " +
      "62 + 18 in other public splits, 62 + 20 here",
    finding: "note",
  }, {
    check: "cases of a split add up",
    where: "4.1, LA and Pancreas-CT",
    arithmetic:
      "the 20 cases that the tables measure are called validation; there are no further test cases, " +
      "while BraTS has 25 for validation and 60 for testing",
    finding: "note",
  }];
}

/** Venues and spellings in the tables against the bibliography. */
export function venueChecks(): AuditEntry[] {
  const seen = new Map<number, Map<string, Set<number>>>();
  for (const { number, rows } of tables) {
    for (const { reference, venue } of rows) {
      if (reference === undefined || venue === undefined) continue;
      const venues = seen.get(reference) ?? new Map<string, Set<number>>();
      venues.set(venue, (venues.get(venue) ?? new Set()).add(number));
      seen.set(reference, venues);
    }
  }
  return [...seen].sort(([a], [b]) => a - b).map(([reference, venues]): AuditEntry => {
    const printed = [...venues].map(([venue, numbers]) => `${venue} in Table ${[...numbers].join(", ")}`);
    const same = [...venues.keys()].every((venue) =>
      venue.toLowerCase() === bibliography[reference].toLowerCase()
    );
    return {
      check: "venue of a method",
      where: `[${reference}] ${namesOf(reference, tables).join(" / ")}`,
      arithmetic: `${printed.join("; ")}; bibliography ${bibliography[reference]}`,
      finding: same ? "consistent" : "inconsistent",
    };
  });
}

/** The printed example of Figure 4. */
export function figureChecks(): AuditEntry[] {
  const share = ([background, foreground]: readonly number[]) => 1 / (1 + Math.exp(background - foreground));
  return [
    { truth: "foreground", before: [1.5, 0.5], after: [1.685, 0.565] },
    { truth: "background", before: [0.7, 1.3], after: [0.825, 1.525] },
  ].map(({ truth, before, after }): AuditEntry => {
    const towards = (from: number, to: number) => (truth === "foreground" ? to > from : to < from);
    const ratios = [before, after].map(([background, foreground]) => foreground / background);
    const shares = [before, after].map(share);
    const agree = towards(ratios[0], ratios[1]) && towards(shares[0], shares[1]);
    return {
      check: "worked example of SAR",
      where: `Figure 4 and 3.2: ${before.join("/")} to ${after.join("/")}, the truth is ${truth}`,
      arithmetic:
        `the ratio foreground/background goes from ${ratios[0].toFixed(4)} to ${ratios[1].toFixed(4)}, ` +
        `${
          towards(ratios[0], ratios[1]) ? "towards" : "away from"
        } the truth; the softmax of eq. 6 gives the ` +
        `foreground ${shares[0].toFixed(4)}, then ${shares[1].toFixed(4)}, ` +
        `${towards(shares[0], shares[1]) ? "towards" : "away from"} it`,
      finding: agree ? "consistent" : "inconsistent",
    };
  });
}

/** Rows whose numbers stand in other public sources. */
export function originChecks(): AuditEntry[] {
  return [
    {
      check: "row known from elsewhere",
      where: "Table 1, DTC 8 (10%)",
      arithmetic:
        "87.51 / 78.17 / 8.23 / 2.36 is digit for digit the starred row of HiLab-git/DTC's read-me for " +
        "8 labels, which that read-me takes from the MC-Net paper",
      finding: "note",
    },
    {
      check: "row known from elsewhere",
      where: "Table 1, UA-MT and SASSNet 8 (10%)",
      arithmetic:
        "Dice 86.28 and 85.22 here, 84.25 and 87.32 in the same read-me, so that not all three rows come " +
        "from it",
      finding: "note",
    },
    {
      check: "row known from elsewhere",
      where: "Table 1, UA-MT, SASSNet and DTC 16 (20%)",
      arithmetic:
        "Dice 88.74, 89.16 and 89.52 here; the read-me of yyliu01/TraCoCo has 88.88, 89.54 and 89.42 for the same " +
        "three with 16 labelled, 64 unlabelled and 20 test scans",
      finding: "note",
    },
    {
      check: "row known from elsewhere",
      where: "Table 1, SCC 16 (20%)",
      arithmetic:
        "Dice 89.81 and HD95 7.15 here; comments of PerceptionComputingLab/SCC's training script state " +
        "90.56 and 6.74 for its later form, 91.06 and 6.01 with the ramp-up too",
      finding: "note",
    },
    {
      check: "row known from elsewhere",
      where: "Table 4, MC-Net+ with one branch",
      arithmetic:
        "90.12 / 82.12 / 8.07 / 1.99 is MC-Net+ with 20% of the labels in Table 1; that network has " +
        "three decoders and unsupervised losses, while the row is marked as one branch with L_seg alone",
      finding: "inconsistent",
    },
    {
      check: "rows of one table stand on different configurations",
      where: "Tables 6–8, low-level",
      arithmetic:
        '"with low-level" is 90.94, 80.22 and 85.03, not the full model\'s 91.82, 81.60 and 85.84: in ' +
        "Table 6 the pair equals the rows of Table 4 with L_seg and L_src, without SAR",
      finding: "note",
    },
  ];
}

function namesOf(reference: number, all: readonly PaperTable[]): string[] {
  return [
    ...new Set(
      all.flatMap(({ rows }) =>
        rows.filter((row) => row.reference === reference).map(({ cells }) => cells[0])
      ),
    ),
  ];
}
