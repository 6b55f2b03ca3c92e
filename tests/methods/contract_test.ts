import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { methods } from "../../lib/methods/mod.ts";
import { describeContract, type Expectation } from "./contract.ts";
import { meanTeacher } from "./mean_teacher.ts";

const expectations: Readonly<Record<string, Expectation>> = {
  "vnet": { parameters: 9_448_866 },
  "ua-mt": { parameters: 9_448_866 },
  // The discriminator passes the gradient on; the loss does not move it.
  "sassnet": { parameters: 9_448_866, reaches: { adversarial: ["discriminator", "network"] } },
  "dtc": { parameters: 9_448_866 },
  "urpc": { parameters: 5_884_504 },
  "mrnet": { parameters: 29_588_743, iterations: 3 },
  // The classifier is frozen.
  "scc": {
    parameters: 12_347_716,
    reaches: { contrast: ["classifier", "network"] },
    signed: ["contrast"],
  },
  "ict": { parameters: 9_448_866 },
  "em": { parameters: 9_448_866 },
  "mc-net-plus": { parameters: 9_448_866 },
  "caussl": { parameters: 9_448_866 },
  "plgcl": {
    parameters: 9_448_866,
    reaches: { consistency: ["student"] },
    crop: [32, 32, 32],
  },
  "bcp": { parameters: 9_448_866 },
  "auss": { parameters: 9_448_866 },
  // After a few steps no prediction is as confident as the method asks for.
  "midss": { parameters: 9_448_866, settings: ["threshold=0.5"] },
  "galoss": { parameters: 2 * 9_448_866 },
  "sasnet": { parameters: 11_258_376 },
};

describe("methods", () => {
  it("all keep the contract", () => {
    assertEquals(methods.map(({ key }) => key), Object.keys(expectations));
  });
});

for (const method of methods) describeContract(method, expectations[method.key]);

describeContract(meanTeacher as never, { parameters: 9_448_866 });
