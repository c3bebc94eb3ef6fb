import { createChainVerifier } from "@latchkey/chain";
import { checkRevocation } from "@latchkey/chain/revocation";
import { nodeProvider } from "@latchkey/crypto/node";
import * as x509 from "@latchkey/x509";
import { verify, createPublicKey } from "node:crypto";
const NOW = Math.floor(Date.now()/1000);
const provider = nodeProvider;
const validity = x509.validityFrom(NOW - 3600, 365);
const alg = {name:"ec",curve:"P-256"} as const;
const rk = provider.generateKeyPair(alg).privateKey;
const root = { certificate: x509.issueSelfSignedCertificate({provider, template: x509.certificateAuthority({subject: x509.makeName([{type:"CN",value:"Bench Root"}]), validity}), privateKey: rk}), privateKey: rk };
const ik = provider.generateKeyPair(alg);
const inter = { certificate: x509.issueCertificate({provider, template: x509.certificateAuthority({subject: x509.makeName([{type:"CN",value:"Bench Intermediate"}]), validity}), issuer: root, publicKey: ik.publicKey}), privateKey: ik.privateKey };
const leaf = x509.issueCertificate({provider, template: x509.deviceCertificate({subject: x509.makeName([{type:"CN",value:"button-1"}]), validity}), issuer: inter, publicKey: provider.generateKeyPair(alg).publicKey});
const list = (issuer:any,n:number)=>x509.issueCertificateRevocationList({provider, issuer, thisUpdate: NOW-3600,nextUpdate:NOW+86400,number:1,entries:Array.from({length:n},()=>{const s=provider.randomBytes(16);s[0]=(s[0]!&0x3f)|0x40;return{serialNumber:s,revocationDate:NOW-7200}})});
const lists=[list(inter,10000),list(root,1)];
const fakeProvider = {...provider, verify: () => true};
const v = createChainVerifier({provider, trustAnchors:[root.certificate], profile:"iotDevice"});
const vf = createChainVerifier({provider: fakeProvider, trustAnchors:[root.certificate], profile:"iotDevice"});
const vc = createChainVerifier({provider: fakeProvider, trustAnchors:[root.certificate], profile:"iotDevice", rememberedCertificates:0});
const rev = checkRevocation({mode:"hard",revocationLists:lists});
const handle = createPublicKey({key:Buffer.from(inter.certificate.subjectPublicKeyInfo.encoding),format:"der",type:"spki"});
const inputs={certificate:leaf.encoding,intermediates:[inter.certificate.encoding],purpose:"clientAuth",time:NOW} as const;
function time(name:string,f:()=>void,n=3000){for(let i=0;i<n;i++)f();let best=1e9;for(let r=0;r<7;r++){const t=process.cpuUsage();for(let i=0;i<n;i++)f();const u=process.cpuUsage(t);best=Math.min(best,(u.user+u.system)/n);}console.log(name.padEnd(30),best.toFixed(2),"us");}
const only=process.argv[2];
const rows:[string,()=>void,number?][]=[
 ["bare",()=>{verify("sha256",leaf.tbsCertificate,handle,leaf.signatureValue)}],
 ["warm",()=>{if(!v.verify(inputs).ok)throw 0}],
 ["warm-nosig",()=>{if(!vf.verify(inputs).ok)throw 0}],
 ["warm-nosig-crl",()=>{if(!vf.verify({...inputs,revocation:rev}).ok)throw 0}],
 ["cold-nosig",()=>{if(!vc.verify(inputs).ok)throw 0}],
 ["parse",()=>{x509.parseCertificate(leaf.encoding)}],
 ["parse-noc",()=>{x509.parseCertificate(leaf.encoding,{checkContents:false})}],
 ["nameKey",()=>{x509.nameKey(leaf.issuer)}],
 ["provider.verify",()=>{provider.verify(ik.publicKey,{name:"ecdsa",hash:"SHA-256"},leaf.tbsCertificate,leaf.signatureValue)}],
];
for(const [n,f,c] of rows)if(!only||n===only)time(n,f,only?30000:c);
