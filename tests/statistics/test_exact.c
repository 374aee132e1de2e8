/* Exact sums against sums by hand, in 128-bit integers, and in Python's fractions. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exact.h"
#include "random.h"

/* The same bits, any NaN like any other. */
static void expect(double seen, double wanted, int which)
{
    if (isnan(wanted) ? !isnan(seen) : memcmp(&seen, &wanted, sizeof seen) != 0)
        fail_msg("case %d: %a, not %a", which, seen, wanted);
}

struct sums {
    int n;
    double values[7];
    double sum, mean, variance;
};

/* Rounded by Python: float(Fraction). */
static const struct sums sums[] = {
    { 2,
      { 0x1.0000000000000p+0, 0x1.0000000000000p-53 },
      0x1.0000000000000p+0,
      0x1.0000000000000p-1,
      0x1.ffffffffffffep-2 },
    { 3,
      { 0x1.0000000000000p+0, 0x1.0000000000000p-53, 0x0.0000000000001p-1022 },
      0x1.0000000000001p+0,
      0x1.5555555555556p-2,
      0x1.5555555555555p-2 },
    { 2,
      { 0x1.0000000000001p+0, 0x1.0000000000000p-53 },
      0x1.0000000000002p+0,
      0x1.0000000000002p-1,
      0x1.0000000000001p-1 },
    { 2,
      { 0x1.0000000000000p+0, -0x1.0000000000000p-54 },
      0x1.0000000000000p+0,
      0x1.0000000000000p-1,
      0x1.0000000000001p-1 },
    { 3,
      { 0x1.0000000000000p+0, -0x1.0000000000000p-54, -0x0.0000000000001p-1022 },
      0x1.fffffffffffffp-1,
      0x1.5555555555555p-2,
      0x1.5555555555556p-2 },
    { 2,
      { 0x1.fffffffffffffp+1023, 0x1.0000000000000p+969 },
      0x1.fffffffffffffp+1023,
      0x1.fffffffffffffp+1022,
      HUGE_VAL },
    { 2,
      { 0x1.fffffffffffffp+1023, 0x1.0000000000000p+970 },
      HUGE_VAL,
      0x1.0000000000000p+1023,
      HUGE_VAL },
    { 3,
      { 0x1.fffffffffffffp+1023, 0x1.0000000000000p+970, -0x0.0000000000001p-1022 },
      0x1.fffffffffffffp+1023,
      0x1.5555555555555p+1022,
      HUGE_VAL },
    { 3,
      { 0x1.fffffffffffffp+1023, 0x1.fffffffffffffp+1023, -0x1.fffffffffffffp+1023 },
      0x1.fffffffffffffp+1023,
      0x1.5555555555555p+1022,
      HUGE_VAL },
    { 3,
      { 0x1.fffffffffffffp+1023, -0x1.fffffffffffffp+1023, 0x0.0000000000001p-1022 },
      0x0.0000000000001p-1022,
      0x0.0p+0,
      HUGE_VAL },
    { 2,
      { -0x1.fffffffffffffp+1023, -0x1.fffffffffffffp+1023 },
      -HUGE_VAL,
      -0x1.fffffffffffffp+1023,
      0x0.0p+0 },
    { 3,
      { 0x0.0000000000001p-1022, 0x0.0000000000001p-1022, 0x0.0000000000001p-1022 },
      0x0.0000000000003p-1022,
      0x0.0000000000001p-1022,
      0x0.0p+0 },
    { 2,
      { 0x0.0000000000001p-1022, -0x0.0000000000001p-1022 },
      0x0.0p+0,
      0x0.0p+0,
      0x0.0p+0 },
    { 1,
      { 0x0.0000000000001p-1022 },
      0x0.0000000000001p-1022,
      0x0.0000000000001p-1022,
      NAN },
    { 2,
      { 0x0.0000000000003p-1022, 0x0.0000000000002p-1022 },
      0x0.0000000000005p-1022,
      0x0.0000000000002p-1022,
      0x0.0p+0 },
    { 2,
      { 0x1.0000000000000p-1022, -0x0.0000000000001p-1022 },
      0x0.fffffffffffffp-1022,
      0x0.8000000000000p-1022,
      0x0.0p+0 },
    { 5,
      { 0x0.0000000000001p-1022,
        0x0.0000000000001p-1022,
        0x0.0p+0,
        0x0.0p+0,
        0x0.0p+0 },
      0x0.0000000000002p-1022,
      0x0.0p+0,
      0x0.0p+0 },
    { 6,
      { 0x0.0000000000001p-1022,
        0x0.0000000000001p-1022,
        0x0.0000000000001p-1022,
        0x0.0p+0,
        0x0.0p+0,
        0x0.0p+0 },
      0x0.0000000000003p-1022,
      0x0.0p+0,
      0x0.0p+0 },
    { 2,
      { 0x1.ccb0536608d61p-539, 0x1.59843e8c86a09p-537 },
      0x1.ccb0536608d61p-537,
      0x1.ccb0536608d61p-538,
      0x0.0p+0 },
    { 3,
      { 0x1.1fee341fc585dp-535, 0x1.afe54e2fa848bp-534, 0x1.bb69b6abcee7bp-536 },
      0x1.575b6af53f62cp-533,
      0x1.c9cf3946ff2e6p-535,
      0x0.000000000001ep-1022 },
    { 7,
      { 0x1.999999999999ap-4,
        0x1.999999999999ap-4,
        0x1.999999999999ap-4,
        0x1.999999999999ap-4,
        0x1.999999999999ap-4,
        0x1.999999999999ap-4,
        0x1.999999999999ap-4 },
      0x1.6666666666667p-1,
      0x1.999999999999ap-4,
      0x0.0p+0 },
    { 3,
      { 0x1.1c37937e08000p+53, 0x1.0000000000000p+0, -0x1.1c37937e08000p+53 },
      0x1.0000000000000p+0,
      0x1.5555555555555p-2,
      0x1.3b8b5b5056e17p+106 },
    { 2,
      { 0x1.fffffffffffffp+1023, -0x1.fffffffffffffp+1023 },
      0x0.0p+0,
      0x0.0p+0,
      HUGE_VAL },
    { 3,
      { 0x1.7dddf6b095ff1p+511, -0x1.7dddf6b095ff1p+511, 0x1.1e667904707f5p+513 },
      0x1.1e667904707f5p+513,
      0x1.7dddf6b095ff1p+511,
      HUGE_VAL },
    { 4,
      { 0x1.dcd6502000000p+29,
        0x1.dcd6503800000p+29,
        0x1.dcd6506800000p+29,
        0x1.dcd6508000000p+29 },
      0x1.dcd6505000000p+31,
      0x1.dcd6505000000p+29,
      0x1.e000000000000p+4 },
    { 3,
      { 0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999bp-4 },
      0x1.3333333333334p-2,
      0x1.999999999999ap-4,
      0x1.5555555555555p-114 },
    { 7,
      { -0x1.0a1034d645f3ep-657,
        0x1.25587ab9f290cp-378,
        -0x1.a5664d3410108p-765,
        -0x1.00287651b31a4p+870,
        0x1.a5de901ab520ap-254,
        0x1.4030f6ba2716fp+303,
        0x1.b5a0f38bde63ap+943 },
      0x1.b5a0f38bde63ap+943,
      0x1.f425a89fd9967p+940,
      HUGE_VAL },
    { 5,
      { -0x1.a6975092bde30p-80,
        -0x1.9d51c81832c9cp-730,
        -0x1.03814a58c2956p+89,
        0x1.61686c506f216p-402,
        -0x1.cfb64e017e7aep+24 },
      -0x1.03814a58c2956p+89,
      -0x1.9f3543c137556p+86,
      0x1.a4e495f8fad61p+175 },
    { 7,
      { -0x1.b7dd9cb5d5a90p-172,
        -0x1.cadab00d4aa60p+156,
        0x1.185081b1dd1b8p+302,
        0x1.d0216109caf83p+50,
        0x1.40fbb92a27eacp+589,
        -0x1.612dd7c803153p+684,
        0x1.cacccc1dc9034p-861 },
      -0x1.612dd7c803153p+684,
      -0x1.93a21b2dba616p+681,
      HUGE_VAL },
    { 6,
      { -0x1.bee95e160ec38p-367,
        -0x1.d6597f9160a00p+128,
        -0x1.9ebaeee9b19f6p+220,
        0x1.e7b2d01d461f4p-849,
        -0x1.e177c1e04be38p+790,
        0x1.9f43712b6d500p-633 },
      -0x1.e177c1e04be38p+790,
      -0x1.40fa81403297bp+788,
      HUGE_VAL },
    { 2,
      { 0x1.077caa5243e12p-721, 0x1.53c927c2d627fp-960 },
      0x1.077caa5243e12p-721,
      0x1.077caa5243e12p-722,
      0x0.0p+0 },
    { 3,
      { -0x1.06b900e06ccb0p-1022, -0x1.85b1ef6783de0p-523, 0x1.bff0784810f5ap+645 },
      0x1.bff0784810f5ap+645,
      0x1.2aa050300b4e7p+644,
      HUGE_VAL },
    { 4,
      { -0x1.8d5a338ca01e2p-180,
        -0x1.948d51dbf2698p-146,
        -0x1.34a711900c47ap+524,
        -0x1.4bc2a1054ba7ap+766 },
      -0x1.4bc2a1054ba7ap+766,
      -0x1.4bc2a1054ba7ap+764,
      HUGE_VAL },
    { 5,
      { -0x1.6e1de930459f4p+202,
        0x1.e2726d3636a76p-682,
        0x1.a7fd395d4f51cp+148,
        -0x1.5a58a12e6ff22p-667,
        -0x1.1ada9b87e8e80p+515 },
      -0x1.1ada9b87e8e80p+515,
      -0x1.c490f8d974a66p+512,
      HUGE_VAL },
    { 4,
      { 0x1.956776fd70e0ep+822,
        -0x1.10d54727c1ac8p+848,
        -0x0.01eda39ebabeep-1022,
        -0x1.d85cd03012b3cp+324 },
      -0x1.10d546c267cecp+848,
      -0x1.10d546c267cecp+846,
      HUGE_VAL },
    { 7,
      { -0x1.6e82d34711140p+131,
        -0x1.3f557ed1a3d00p-911,
        -0x1.7fda1fcd3ef42p+592,
        -0x1.2a1e29363de76p+402,
        0x1.c5692906627e0p-508,
        0x1.cc7cecb6e9a8ep+556,
        0x1.04786000777b8p+807 },
      0x1.04786000777b8p+807,
      0x1.29ae2492d1b1bp+804,
      HUGE_VAL },
    { 2,
      { 0x1.46ce3c1d76a5ep-249, 0x1.cd65fbfec0172p+306 },
      0x1.cd65fbfec0172p+306,
      0x1.cd65fbfec0172p+305,
      0x1.9fcc3b1a27723p+612 },
    { 5,
      { -0x1.3f2f07c35a42cp+355,
        -0x1.f487cc45d6f00p+433,
        -0x1.8566a8878c7e9p+882,
        -0x1.156c1e8911551p+141,
        -0x1.1e290eae6d220p+415 },
      -0x1.8566a8878c7e9p+882,
      -0x1.3785539fa3987p+880,
      HUGE_VAL },
    { 4,
      { -0x1.35f4f9d677500p+696,
        0x1.fa4120ec71a84p+529,
        0x1.619476e24ed1cp+119,
        0x1.3dc69cf0e7ec1p-731 },
      -0x1.35f4f9d677500p+696,
      -0x1.35f4f9d677500p+694,
      HUGE_VAL },
    { 7,
      { 0x1.131bb02d1f3eep-558,
        0x1.5181d3ef16575p-106,
        0x1.0965595a80b3cp+269,
        -0x1.473813efbb256p-567,
        0x1.4a6a91427ee26p-295,
        0x1.901c329b61e88p+1007,
        0x1.a01ad0de23555p-337 },
      0x1.901c329b61e88p+1007,
      0x1.c944cc1f4b52ep+1004,
      HUGE_VAL },
    { 3,
      { -0x1.8531997598a6bp-11, 0x1.1824c80631b13p-13, 0x1.f44f5456d1db9p-8 },
      0x1.cc6a476850544p-8,
      0x1.32f184f0358d8p-9,
      0x1.63a6547fc9d7fp-16 },
    { 4,
      { -0x1.c2c3f8e6a7aabp+8,
        0x1.52c0fb349abf0p-12,
        -0x1.21ffdeb1c5a18p-4,
        -0x1.4b08918c0b95ap-4 },
      -0x1.c2eab4419bd48p+8,
      -0x1.c2eab4419bd48p+6,
      0x1.8cc40bdcf52fcp+15 },
    { 2,
      { -0x1.827f966c04fa0p-4, -0x1.d29b8bc31fc52p-1 },
      -0x1.0175bf4850323p+0,
      -0x1.0175bf4850323p-1,
      0x1.55bd7aea8b83cp-2 },
    { 5,
      { 0x1.105a45cb41eedp+2,
        0x1.f6ad4c7673102p-12,
        0x1.935dbd50a3b2ep-9,
        0x1.070a06ae948bbp-4,
        0x1.3012e33182d00p-8 },
      0x1.14fcb90ba48ffp+2,
      0x1.bb2df4df6db32p-1,
      0x1.cbc12f155445bp+1 },
    { 3,
      { -0x1.1c34709d92fbap+3, 0x1.fecc373c62d1cp+2, -0x1.56d386d2cbccdp-12 },
      -0x1.cd102a66f3858p-1,
      -0x1.33601c44a2590p-2,
      0x1.1c9e1651ff16ep+6 },
    { 3,
      { -0x1.fc025309fc46dp-5, -0x1.877992e7a3982p-1, -0x1.9f467bf84ede3p-13 },
      -0x1.a753ac8002e18p-1,
      -0x1.1a37c85557410p-2,
      0x1.713d7f343b60fp-3 },
    { 4,
      { 0x1.1e0c8ddc0ae4ep-12,
        0x1.dd79be737ba14p+5,
        0x1.8ecdbd7979683p+9,
        -0x1.e0fa610499fc7p-5 },
      0x1.ac9dde67917ecp+9,
      0x1.ac9dde67917ecp+7,
      0x1.28e4939511bb0p+17 },
    { 3,
      { 0x1.b1de093ecb780p-7, 0x1.730c4f1721192p-11, -0x1.64684d6a8b87bp-9 },
      0x1.6ff4bad59aa7ap-7,
      0x1.ea9ba3c778df8p-9,
      0x1.2811a20c6f72bp-14 },
    { 7,
      { 0x1.998f032ee9af1p-8,
        0x1.8ca5183b04e1ap-7,
        0x1.9be694aac62f1p-8,
        -0x1.e9403bb0187ddp+9,
        -0x1.90c51fc3c195ap-6,
        0x1.7bc12871daffep+4,
        0x1.f01b8825da297p-8 },
      -0x1.dd61348920f29p+9,
      -0x1.10c9d4e0a51cep+7,
      0x1.0d77caaeb385ep+17 },
    { 6,
      { -0x1.1588d7b1b7611p+3,
        0x1.9dbe5390ab973p+2,
        -0x1.cf3e6c61736d4p+9,
        -0x1.c288231fb4b90p-2,
        0x1.066bcc9c951d3p-13,
        0x1.541667f5c8ac8p-1 },
      -0x1.d03c5a69d0459p+9,
      -0x1.357d919be02e6p+7,
      0x1.173a0d3872545p+17 },
};

struct weighted {
    double values[3], weights[3], mean;
};

static const struct weighted weighted[] = {
    { { 0x1.591830f24d352p+185, -0x1.c7086a5ecd2c0p-22, 0x1.bc5e39af0ec40p+47 },
      { 0x1.a9bc650b1a990p-253, 0x1.fc5761da23050p+4, 0x1.20b16c2ff985cp+20 },
      0x1.bc5b2b3ec7578p+47 },
    { { -0x1.9d0e03d77ce5cp+82, 0x1.da3725233bab0p+78, -0x1.87e65973f6f86p+240 },
      { 0x1.62512fe24b2ecp+2, 0x1.c8514cb741db8p-131, 0x1.9130638f364fep-24 },
      -0x1.bbbe50251fcc7p+214 },
    { { 0x1.d7d2a92ad8cecp+219, -0x1.c69bafc63b394p+4, 0x1.d13180ca6b200p+99 },
      { 0x1.f8d3272fcb920p-176, 0x1.8924aed6ec71fp-167, 0x1.de433b93aa874p-28 },
      0x1.d13180e98b905p+99 },
    { { -0x1.907678bb88390p-11, 0x1.68cec7dd9bf60p+144, -0x1.f1d1adf81b078p+254 },
      { 0x1.7b1dd37162005p-210, 0x1.42ced13a8f98cp+24, 0x1.248555779d030p-79 },
      -0x1.c04b021d39d47p+151 },
    { { -0x1.44808c54fb1b8p-22, -0x1.ff19d8b2fa220p+70, -0x1.c5f74eeb60078p+244 },
      { 0x1.9bb03d5d94a5ep-254, 0x1.2562ffe1ac5d8p-65, 0x1.ca87b76ca27cdp+37 },
      -0x1.c5f74eeb60078p+244 },
    { { 0x1.1c2c7668d07cep+228, -0x1.a1c3f5abe6bc8p+11, -0x1.bff5573e83e20p+32 },
      { 0x1.3e61c868a6a61p-241, 0x1.7cab23c2342cbp-121, 0x1.7f1455a9bc5c4p-200 },
      0x1.db5a1e73a7054p+107 },
    { { -0x1.473566e3203c8p+108, -0x1.ff895ff01dd06p-15, 0x1.eb5b471cb59f6p+177 },
      { 0x1.f93a25e06caa4p+24, 0x1.37dee3983845fp-160, 0x1.385f22d5d268ep+28 },
      0x1.be3f2fb478b61p+177 },
    { { 0x1.1f473c4cbf612p+237, 0x1.cc786810d0790p+122, 0x1.88cb8177cdd00p-14 },
      { 0x1.650c7db136280p-260, 0x1.048c2ee05955bp-32, 0x1.e667c096aee8ap-227 },
      0x1.cc786810d0790p+122 },
    { { -0x1.289c3cb9d9feep+137, -0x1.7e80246d1ca6cp+108, 0x1.2c013f0cd9ab2p+46 },
      { 0x1.1b3dc53db8d07p-146, 0x1.a10dc35dd9057p-197, 0x1.be5974856a709p-241 },
      -0x1.289c3cb9d9febp+137 },
    { { -0x1.618cb47c83c52p+275, -0x1.6049563ec84f0p+139, 0x1.e2ee57a76c3ecp+145 },
      { 0x1.e9496a2fef7d1p-290, 0x1.0aa76a5bdc200p-289, 0x1.c8783c003178ep-139 },
      0x1.e2ee4bcfaed93p+145 },
    { { 0x1.2405b8a485abep+199, 0x1.433516ba15726p+118, -0x1.cb093efcc6980p-24 },
      { 0x1.5ab3b20a5bb48p-44, 0x1.b2764213ba31dp-86, 0x1.1eee453ad700ap+17 },
      0x1.60daabcc8891bp+138 },
    { { 0x1.aaeeb723f1278p+2, 0x1.40b750e89f334p+288, 0x1.8f2a21fd17922p+178 },
      { 0x1.bb15662d2f43dp-265, 0x1.92ec9f194e080p-105, 0x1.85d2efc1052c5p-169 },
      0x1.40b750e89f334p+288 },
    { { 0x1.e4339b03fefdcp+227, 0x1.63d825a1fa0e8p-9, 0x1.690ac1f5816a0p-40 },
      { 0x1.a2dde59426598p-249, 0x1.fa7086b7162f8p-249, 0x1.55cab1420e218p-289 },
      0x1.b660356b95c9cp+226 },
    { { 0x1.ddd7ab0319208p+18, 0x1.a58b664829b7ap+296, 0x1.1c329908dd108p+277 },
      { 0x1.d64e5673a9abcp-176, 0x1.6472ff2f97b80p-15, 0x1.1e4a516ba2d98p-37 },
      0x1.a58b60fddf60bp+296 },
    { { 0x1.4ddff78f02252p-8, -0x1.04f27a947aa4cp+87, 0x1.4314f6e65a8e8p+193 },
      { 0x1.ffaf7185a33bcp-282, 0x1.9ee37db762800p+33, 0x1.d8e5528a92adep-209 },
      -0x1.04f27a947aa4cp+87 },
    { { 0x1.99a209943c572p+256, 0x1.6e976cfc73a20p+65, 0x1.e7b3127c3a940p+265 },
      { 0x1.e20789a440351p-176, 0x1.9b9df13d0de20p-157, 0x1.4da8108613350p-128 },
      0x1.e7b312696d583p+265 },
    { { 0x1.de803bca3834cp+264, -0x1.67d88052c2160p+116, -0x1.fa0482079fc20p-44 },
      { 0x1.d67263d325bb7p+9, 0x1.e12088b843e18p-203, 0x1.b520671223fe6p-226 },
      0x1.de803bca3834cp+264 },
    { { 0x1.8ca1cb2a7c5b8p+250, 0x1.da5621fbe8d98p+229, -0x1.49a91af8797a0p+78 },
      { 0x1.049fad96fea9cp-37, 0x1.1633671aa4a50p-48, 0x1.63d32a14069c0p-253 },
      0x1.8c6ce603e6cb2p+250 },
    { { -0x1.3fb01ef262850p+202, -0x1.5702e03af57d0p+220, -0x1.d0e7c5c5e54bcp-12 },
      { 0x1.bdd41afaa7a9ap-175, 0x1.23356f6678642p-133, 0x1.3dbea61f6c77ap-124 },
      -0x1.39cdade1087d7p+211 },
    { { -0x1.19a2792abecc0p-13, 0x1.a2fc1e7350c5cp+63, -0x1.2f06a00e8ae0ap+70 },
      { 0x1.e8327bae32a1cp-47, 0x1.df3c07ea82582p+32, 0x1.4d60039321df2p-69 },
      0x1.a2fc1e7350c5cp+63 },
    { { 0x1.485588896bd90p+162, 0x1.e272ef08401eep-29, 0x1.05060b92707eap+201 },
      { 0x1.be3e889100378p-5, 0x1.7be95de0bc466p-277, 0x1.ee85245bb5ffcp-171 },
      0x1.485588896bd90p+162 },
    { { -0x1.fd8d51f208226p+221, -0x1.35c78fd613b70p+71, -0x1.869e18ab110f4p-33 },
      { 0x1.138a0bec786c0p-266, 0x1.dcb19c4e560fep-103, 0x1.0c1c9d01dfb55p-20 },
      -0x1.136bc03c394c3p-11 },
    { { -0x1.4164d5cbf623cp+89, 0x1.214e5eb92e864p+243, 0x1.e87659a395348p+119 },
      { 0x1.bd92a2b4febdcp-187, 0x1.c0dd6e5ab3b1bp-277, 0x1.03430f7a4acd4p+32 },
      0x1.e87659a395348p+119 },
    { { 0x1.48fffa7746330p-39, 0x1.8eedf1e528d00p+180, -0x1.495b669434a6cp+125 },
      { 0x1.7c1aea17b5da4p-260, 0x1.f015b785a1198p+18, 0x1.9576cb3cbc812p-211 },
      0x1.8eedf1e528d00p+180 },
    { { -0x1.d9678adff6110p-4, 0x1.e2f0917b3e526p+36, -0x1.d27cdeee81864p+75 },
      { 0x1.e589032fb3590p-292, 0x1.b052a11743a68p-134, 0x1.eaac110b7688cp-54 },
      -0x1.d27cdeee81864p+75 },
    { { -0x1.1532680a3267ap+29, 0x1.e8560a5becac6p+160, -0x1.902c3a452ea58p+88 },
      { 0x1.9c4e95f553c4ep-14, 0x1.a0b5e8d67d1e4p-278, 0x1.468d6332760dep-266 },
      -0x1.1532680a3267ap+29 },
    { { -0x1.2657c71d24730p+174, -0x1.569d5ae6d5a50p+20, 0x1.b769ff50e3a24p+72 },
      { 0x1.2292e1b5422cfp+24, 0x1.79619a60019c3p+8, 0x1.69dcb30fbb7cdp-141 },
      -0x1.265648d85313cp+174 },
    { { -0x1.9e5a840f67666p+235, 0x1.666b2e02d9818p+55, -0x1.fab1b08e6a7a8p+216 },
      { 0x1.af915b42b7f86p-129, 0x1.d3233c0ac0624p-87, 0x1.5f4c6f066e456p-184 },
      -0x1.7ecd8daaa2414p+193 },
    { { -0x1.6491085e911a8p+113, -0x1.b4fd42b5846c0p+272, 0x1.2275c7a46022ap+11 },
      { 0x1.4fae95097f890p-185, 0x1.436358e5496e8p-69, 0x1.35d4f4a081177p-188 },
      -0x1.b4fd42b5846c0p+272 },
    { { 0x1.ace140a4ba830p-34, 0x1.5af3c2a7cee14p+68, -0x1.e63e1e529b858p+241 },
      { 0x1.e2c8526a47ca8p-258, 0x1.a3c8cfdc14095p-95, 0x1.ca540e5edc9a2p+17 },
      -0x1.e63e1e529b858p+241 },
};

static void sums_are_rounded_once(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof sums / sizeof *sums); i++) {
        const struct sums *s = &sums[i];
        struct exact sum, squares;
        exact_init(&sum);
        exact_init(&squares);
        exact_add_reals(&sum, s->values, s->n);
        exact_add_real_squares(&squares, s->values, s->n);
        expect(exact_value(&sum), s->sum, i);
        expect(exact_mean(&sum, s->n), s->mean, i);
        expect(exact_variance(&sum, &squares, s->n), s->variance, i);
    }
}

static void quotients_are_rounded_once(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof weighted / sizeof *weighted); i++) {
        const struct weighted *w = &weighted[i];
        struct exact products, weights;
        exact_init(&products);
        exact_init(&weights);
        exact_add_reals(&weights, w->weights, 3);
        exact_add_products(&products, w->values, w->weights, 3);
        expect(exact_quotient(&products, &weights), w->mean, i);
    }
}

/* Conversion of __int128 to double rounds to nearest even. */
static void sums_agree_with_128_bit_integers(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 2000; round++) {
        struct exact exact;
        __int128 wanted = 0;
        exact_init(&exact);
        int n = 1 + (int)(next_random(&seed) % 3000);
        int spread = 1 + (int)(next_random(&seed) % 60);
        for (int i = 0; i < n; i++) {
            int64_t m = (int64_t)next_random(&seed) >> 11;
            int e = (int)(next_random(&seed) % (uint64_t)spread);
            double value = ldexp((double)m, e - 60);
            exact_add_reals(&exact, &value, 1);
            wanted += (__int128)m * ((__int128)1 << e);
        }
        expect(exact_value(&exact), ldexp((double)wanted, -60), round);
    }
}

static void integers_are_summed_beyond_64_bits(void **state)
{
    (void)state;
    uint64_t seed = 5;
    enum { N = 5000 };
    static int64_t values[N];
    struct exact sum, squares;
    exact_init(&sum);
    exact_init(&squares);
    __int128 wanted = 0;
    for (int i = 0; i < N; i++) {
        values[i] = i % 3 ? (int64_t)next_random(&seed) : INT64_MIN + i;
        wanted += values[i];
    }
    exact_add_integers(&sum, values, N);
    expect(exact_value(&sum), (double)wanted, 0);
    int64_t extremes[] = { INT64_MIN, INT64_MIN, INT64_MAX, -1, 3 };
    exact_add_integer_squares(&squares, extremes, 5);
    /* 2^126 + 2^126 + (2^63 - 1)^2 + 1 + 9 = 3 * 2^126 - 2^64 + 11 */
    expect(exact_value(&squares), 0x1.8p127 - 0x1p64 + 11, 1);
    exact_init(&squares);
    exact_add_integer_squares(&squares, (int64_t[]){ -3000000001 }, 1);
    expect(exact_value(&squares), (double)((__int128)3000000001 * 3000000001), 2);
}

/* Any double that is finite, of any magnitude. */
static double any_double(uint64_t *seed)
{
    double value;
    do {
        uint64_t bits = next_random(seed);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

static void shuffle(double *values, int n, uint64_t *seed)
{
    for (int i = n; i-- > 1;) {
        int k = (int)(next_random(seed) % (uint64_t)(i + 1));
        double value = values[i];
        values[i] = values[k];
        values[k] = value;
    }
}

static void any_order_and_partition_gives_the_same_bits(void **state)
{
    (void)state;
    enum { N = 2500 };
    static double values[N];
    uint64_t seed = 3;
    for (int round = 0; round < 40; round++) {
        struct exact sum, squares;
        exact_init(&sum);
        exact_init(&squares);
        for (int i = 0; i < N; i++)
            values[i] = round % 2 ? any_double(&seed)
                                  : ldexp(any_double(&seed), -1000) * 0x1p-40;
        exact_add_reals(&sum, values, N);
        exact_add_real_squares(&squares, values, N);
        for (int again = 0; again < 5; again++) {
            struct exact part[2], whole[2];
            exact_init(&whole[0]);
            exact_init(&whole[1]);
            shuffle(values, N, &seed);
            for (int first = 0, n; first < N; first += n) {
                n = 1 + (int)(next_random(&seed) % 1500);
                n = n < N - first ? n : N - first;
                exact_init(&part[0]);
                exact_init(&part[1]);
                exact_add_reals(&part[0], values + first, n);
                exact_add_real_squares(&part[1], values + first, n);
                exact_merge(&whole[0], &part[0]);
                exact_merge(&whole[1], &part[1]);
            }
            expect(exact_value(&whole[0]), exact_value(&sum), round);
            expect(exact_value(&whole[1]), exact_value(&squares), round);
            expect(exact_variance(&whole[0], &whole[1], N),
                   exact_variance(&sum, &squares, N),
                   round);
        }
    }
}

static void what_is_added_and_taken_away_leaves_the_rest(void **state)
{
    (void)state;
    enum { N = 4001 };
    static double values[N];
    uint64_t seed = 9;
    for (int round = 0; round < 50; round++) {
        double rest = any_double(&seed);
        for (int i = 0; i < N - 1; i += 2) {
            values[i] = any_double(&seed);
            values[i + 1] = -values[i];
        }
        values[N - 1] = rest;
        shuffle(values, N, &seed);
        struct exact sum;
        exact_init(&sum);
        exact_add_reals(&sum, values, N);
        expect(exact_value(&sum), rest, round);
    }
}

/* Products that have more than 64 bits come back, whatever was between. */
static void products_are_exact(void **state)
{
    (void)state;
    uint64_t seed = 21;
    for (int round = 0; round < 20000; round++) {
        double a = any_double(&seed), b = any_double(&seed);
        double product = a * b;
        struct exact exact;
        exact_init(&exact);
        exact_add_products(&exact, &(double){ a }, &(double){ b }, 1);
        expect(exact_value(&exact), product, round);
        if (isfinite(product) && fabs(product) > 0x1p-900) {
            exact_add_reals(&exact, &(double){ -product }, 1);
            expect(exact_value(&exact), fma(a, b, -product), round);
        }
    }
}

static void the_greatest_doubles_overflow_and_come_back(void **state)
{
    (void)state;
    struct exact sum, squares;
    exact_init(&sum);
    exact_init(&squares);
    for (int i = 0; i < 100000; i++)
        exact_add_reals(&sum, &(double){ DBL_MAX }, 1);
    expect(exact_value(&sum), HUGE_VAL, 0);
    expect(exact_mean(&sum, 100000), DBL_MAX, 1);
    for (int i = 0; i < 99999; i++)
        exact_add_reals(&sum, &(double){ -DBL_MAX }, 1);
    expect(exact_value(&sum), DBL_MAX, 2);
    for (int i = 0; i < 5000; i++)
        exact_add_real_squares(&squares, &(double){ DBL_MAX }, 1);
    expect(exact_value(&squares), HUGE_VAL, 3);
    expect(exact_quotient(&squares, &squares), 1, 4);
}

/* Every limb is filled as far as it can be, in one go and by merging. */
static void the_longest_mantissa_is_added_thousands_of_times(void **state)
{
    (void)state;
    enum { N = 1000, TIMES = 64 };
    static double values[N * TIMES];
    for (int exponent = -1074; exponent < 900; exponent += 7) {
        double longest = ldexp(0x1p53 - 1, exponent);
        struct exact whole, part, parts;
        for (int i = 0; i < N * TIMES; i++)
            values[i] = longest;
        exact_init(&whole);
        exact_init(&part);
        exact_init(&parts);
        exact_add_reals(&whole, values, N * TIMES);
        exact_add_reals(&part, values, N);
        for (int i = 0; i < TIMES; i++)
            exact_merge(&parts, &part);
        expect(exact_mean(&whole, N * TIMES), longest, exponent);
        expect(exact_mean(&parts, N * TIMES), longest, exponent);
        exact_merge(&part, &part); /* neither has carried since it was filled */
        expect(exact_mean(&part, 2 * N), longest, exponent);
    }
}

/* Between zero and the least double, which is half as far as there is to round. */
static void a_mean_below_the_least_double_is_rounded(void **state)
{
    (void)state;
    static const struct {
        int n_least, n; /* so many times the least, and so many values */
        double wanted;
    } cases[] = {
        { 1, 3, 0 },      { 1, 2, 0 },         { 2, 3, 5e-324 },
        { 3, 2, 1e-323 }, { 7, 4, 1e-323 },    { 5, 2, 1e-323 },
        { 3, 4, 5e-324 }, { 51, 100, 5e-324 }, { 1, 1000000, 0 },
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        struct exact sum;
        exact_init(&sum);
        for (int k = 0; k < cases[i].n_least; k++)
            exact_add_reals(&sum, &(double){ 5e-324 }, 1);
        expect(exact_mean(&sum, cases[i].n), cases[i].wanted, i);
    }
}

static void special_values_are_as_in_ieee_arithmetic(void **state)
{
    (void)state;
    static const struct {
        double a, b, sum;
    } cases[] = {
        { HUGE_VAL, 1, HUGE_VAL },    { -HUGE_VAL, 1, -HUGE_VAL },
        { HUGE_VAL, -HUGE_VAL, NAN }, { NAN, 1, NAN },
        { NAN, HUGE_VAL, NAN },       { -0.0, -0.0, 0.0 },
    };
    for (int i = 0; i < 6; i++) {
        struct exact a, b, squares;
        exact_init(&a);
        exact_init(&b);
        exact_init(&squares);
        exact_add_reals(&a, &cases[i].a, 1);
        exact_add_reals(&b, &cases[i].b, 1);
        exact_add_real_squares(&squares, (double[]){ cases[i].a, cases[i].b }, 2);
        exact_merge(&a, &b);
        expect(exact_value(&a), cases[i].sum, i);
        expect(exact_mean(&a, 2), cases[i].sum / 2, i);
        expect(exact_variance(&a, &squares, 2), i == 5 ? 0 : NAN, i);
    }
    struct exact product, none;
    exact_init(&product);
    exact_init(&none);
    exact_add_products(&product, &(double){ HUGE_VAL }, &(double){ 0 }, 1);
    expect(exact_value(&product), NAN, 6);
    expect(exact_quotient(&none, &none), NAN, 7);
    exact_init(&product);
    exact_add_products(&product, &(double){ -2 }, &(double){ 3 }, 1);
    expect(exact_quotient(&product, &none), -HUGE_VAL, 8);
    expect(exact_quotient(&none, &product), 0, 9);
    expect(exact_variance(&product, &product, 1), NAN, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_rounded_once),
        cmocka_unit_test(quotients_are_rounded_once),
        cmocka_unit_test(sums_agree_with_128_bit_integers),
        cmocka_unit_test(integers_are_summed_beyond_64_bits),
        cmocka_unit_test(any_order_and_partition_gives_the_same_bits),
        cmocka_unit_test(what_is_added_and_taken_away_leaves_the_rest),
        cmocka_unit_test(products_are_exact),
        cmocka_unit_test(the_greatest_doubles_overflow_and_come_back),
        cmocka_unit_test(the_longest_mantissa_is_added_thousands_of_times),
        cmocka_unit_test(a_mean_below_the_least_double_is_rounded),
        cmocka_unit_test(special_values_are_as_in_ieee_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
