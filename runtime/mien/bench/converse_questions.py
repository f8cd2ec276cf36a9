"""What the customers of the conversation benchmark say: none of it stands in the knowledge file that ships."""

from typing import Final

QUESTIONS: Final[dict[str, tuple[str, ...]]] = {
    "When are you open?": (
        "Until what time can I visit?",
        "Is the museum open on Thursday evening?",
        "What time do the doors open in the morning?",
        "Can I come on a Monday?",
    ),
    "How much is a ticket?": (
        "What do I have to pay for two adults?",
        "How expensive is the entrance?",
        "What is the price for a student?",
        "Do pensioners get a discount?",
    ),
    "Do children pay?": (
        "My daughter is six, does she need a ticket?",
        "What does admission cost for a ten year old boy?",
        "Are kids free?",
        "How much for two toddlers?",
    ),
    "Where is the toilet?": (
        "Excuse me, where can I find the restroom?",
        "I need the loo.",
        "Which way to the ladies' room?",
        "Is there a washroom somewhere?",
    ),
    "Where can I leave my coat?": (
        "Can I drop my backpack somewhere?",
        "Where do I put my jacket?",
        "Do you have a place for my suitcase?",
        "Where is the coat check?",
    ),
    "Is there a café?": (
        "I am hungry, can I have lunch here?",
        "Where can we have a cup of coffee?",
        "Do you have a restaurant?",
        "Can I buy a cake here?",
    ),
    "When is the next guided tour?": (
        "Is somebody showing visitors around today?",
        "What time do the tours start?",
        "How can I join a tour with a guide?",
        "Does a guided tour cost extra?",
    ),
    "Can I borrow an audio guide?": (
        "Do you have headphones with explanations?",
        "Where do I get an audio guide?",
        "Is there a guide to listen to in French?",
        "How much does the audio guide cost?",
    ),
    "May I take photographs?": (
        "Can I take pictures in here?",
        "Is it okay to use my camera?",
        "Am I allowed to use the flash?",
        "May I film the clocks with my phone?",
    ),
    "Is the museum accessible by wheelchair?": (
        "My mother is in a wheelchair, can she see everything?",
        "Where is the elevator?",
        "Can I get upstairs without taking the stairs?",
        "Could you lend us a wheelchair?",
    ),
    "May I bring my dog?": (
        "Are pets allowed?",
        "Can my dog come in with me?",
        "Where can I leave the dog?",
        "Do you let guide dogs in?",
    ),
    "Where can I park?": (
        "Is there a parking lot near here?",
        "Where do I leave my car?",
        "What does parking cost?",
        "Is there a garage for cars?",
    ),
    "How do I get to the station?": (
        "Which bus takes me to the train station?",
        "How can I get back to the town centre?",
        "Is there a bus stop nearby?",
        "What is the way to the railway station?",
    ),
    "Where is the museum shop?": (
        "Can I buy postcards?",
        "Where do you sell presents?",
        "I am looking for the gift shop.",
        "Do you sell books about clocks?",
    ),
    "What is the oldest clock here?": (
        "Which clock is the most ancient one?",
        "How old is your oldest piece?",
        "Where can I see the oldest clock?",
        "Do you have clocks from the middle ages?",
    ),
    "What is there to see in the special exhibition?": (
        "What is the current exhibition about?",
        "Where is the temporary exhibition?",
        "How long will the special exhibition be on?",
        "Do you have something about clocks on ships?",
    ),
    "How long does a visit take?": (
        "How much time should I plan?",
        "Can I see everything in an hour?",
        "How long do people usually stay?",
        "Where should we begin with children?",
    ),
    "Do you have something for children to do?": (
        "What can my kids do here?",
        "Is there a workshop for children?",
        "Can the children build something?",
        "Is there anything fun for a boy of eight?",
    ),
    "Can I pay by card?": (
        "Do you accept credit cards?",
        "Can I pay with my phone?",
        "Is cash okay?",
        "Do you only take cards?",
    ),
    "Can I get a refund for my ticket?": (
        "I want my money back.",
        "Can I give this ticket back?",
        "We cannot come in today, can we return our tickets?",
        "Is it possible to cancel my ticket?",
    ),
    "Is there wireless internet?": (
        "Do you have wifi?",
        "What is the password for the internet?",
        "How can I get online here?",
        "Is there free wifi for visitors?",
    ),
    "I have lost something.": (
        "I cannot find my umbrella any more.",
        "Has somebody found a blue scarf?",
        "I left my wallet here yesterday.",
        "Where do I ask for lost things?",
    ),
    "Is there first aid?": (
        "My friend has hurt her foot.",
        "I need a plaster.",
        "I feel sick.",
        "Somebody has fainted, can you help?",
    ),
    "Can I rent the museum for a party?": (
        "Could we celebrate a birthday here?",
        "Can I hire the hall for an event?",
        "How many guests fit in the great hall?",
        "We would like to have our wedding here.",
    ),
    "Who founded the museum?": (
        "Who started this place?",
        "When was the museum founded?",
        "Who was Clara Winter?",
        "How old is the museum itself?",
    ),
}
"""Each key is a heading of the file, each value what a customer may say for it."""

OFF_TOPIC: Final = (
    "Who won the football game last night?",
    "What is the capital of Australia?",
    "Can you tell me a joke?",
    "What will the weather be like tomorrow?",
    "How do I bake bread?",
    "Who is the president of France?",
    "What is seventeen times twenty three?",
    "Can you recommend a good film?",
    "How do I reset my email password?",
    "What is the meaning of life?",
    "Which stocks should I buy?",
    "How far is the moon?",
    "Can you write a poem about spring?",
    "What is your favourite colour?",
    "How do I learn to play the piano?",
    "Where can I buy a new washing machine?",
    "Is it going to rain in London?",
    "How do I get a passport?",
    "What is the best way to lose weight?",
    "Do you love me?",
)
PERSON: Final = (
    "Can I talk to a real person?",
    "I would like to speak to somebody.",
    "Please call someone from your staff.",
    "I want to talk to a human being.",
    "Could you get me an employee?",
    "May I speak with a member of staff?",
    "Is there anybody here who can help me?",
    "I want to speak to the manager.",
    "Please fetch somebody.",
    "Can I speak to a human, please?",
)
BARGE_INS: Final = (
    "Stop, where is the toilet?",
    "Wait, how much is a ticket?",
    "No, I meant the train station.",
    "Actually, can I pay by card?",
    "Hold on, where is the café?",
)
BACKCHANNELS: Final = ("Mm-hm.", "Okay.", "Uh-huh.", "I see.")
