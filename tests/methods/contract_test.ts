import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { methods } from "../../lib/methods/mod.ts";
import { describeContract, type Expectation } from "./contract.ts";
import { meanTeacher } from "./mean_teacher.ts";

const expectations: Readonly<Record<string, Expectation>> = {
  "vnet": { parameters: 9_448_866 },
  "ua-mt": { parameters: 9_448_866, unreached: ["teacher"] },
  "sassnet": { parameters: 9_448_866 },
  "dtc": { parameters: 9_448_866 },
  "urpc": { parameters: 5_884_504 },
  "mrnet": { parameters: 29_588_743, unreached: ["fast", "medium", "slow"], iterations: 3 },
  "scc": { parameters: 12_347_716 },
  "ict": { parameters: 9_448_866, unreached: ["teacher"] },
  "em": { parameters: 9_448_866 },
  "mc-net-plus": { parameters: 9_448_866 },
  "caussl": { parameters: 9_448_866 },
  "plgcl": {
    parameters: 9_448_866,
    unreached: ["teacher", "teacherProjector"],
    crop: [32, 32, 32],
  },
  "bcp": { parameters: 9_448_866, unreached: ["teacher"] },
  "auss": { parameters: 9_448_866, unreached: ["teacher", "autoencoder"] },
  // After a few steps no prediction is as confident as the method asks for.
  "midss": { parameters: 9_448_866, unreached: ["teacher"], settings: ["threshold=0.5"] },
  "galoss": { parameters: 2 * 9_448_866 },
  "sasnet": { parameters: 11_258_376 },
};

describe("methods", () => {
  it("all keep the contract", () => {
    assertEquals(methods.map(({ key }) => key), Object.keys(expectations));
  });
});

for (const method of methods) describeContract(method, expectations[method.key]);

describeContract(meanTeacher as never, { parameters: 9_448_866, unreached: ["teacher"] });
